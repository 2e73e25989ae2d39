// What browsers load: small, and nothing of it from elsewhere or of the server.
import { gzipSync } from "node:zlib";
import { resolve } from "node:path";
import { build } from "vite";
import { expect, test } from "vitest";

const mostKiB = 60;

test("the console is one small page of its own, and fits the policy that it is served with", async () => {
  const built = await build({
    configFile: resolve(import.meta.dirname, "../../web/vite.config.ts"),
    logLevel: "error",
    build: { write: false },
  });
  if (Array.isArray(built) || !("output" in built)) throw new Error("not one bundle");
  const files = built.output.map((file) => ({
    name: file.fileName,
    text: file.type === "chunk" ? file.code : Buffer.from(file.source).toString(),
  }));
  const packed = files.reduce((sum, { text }) => sum + gzipSync(text, { level: 9 }).length, 0);
  expect(packed).toBeLessThan(mostKiB * 1_024);

  const page = files.find(({ name }) => name === "index.html")?.text ?? "";
  // Neither scripts nor styles stand in the page: its policy refuses them.
  expect(page).not.toMatch(/<script(?![^>]*src=)|<style|style=|\son\w+=/);
  for (const { name, text } of files) {
    const links = [...text.matchAll(/https?:\/\/[^"'`\s)]+/g)].map(([link]) => link);
    expect({ name, links: links.filter((link) => !link.startsWith("http://www.w3.org/")) }).toEqual({
      name,
      links: [],
    });
    expect(text).not.toMatch(/ZodError|libphonenumber|innerHTML\s*=[^=]*\bt\b/);
  }
});
