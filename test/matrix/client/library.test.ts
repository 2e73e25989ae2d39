import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const library = join(import.meta.dirname, "../../../src/matrix/client/library.ts");

/** Loaded first in the child: the crypto package is there, as npm leaves it, but cannot be loaded. */
const brokenCrypto = `
  import Module from "node:module";
  for (const kind of [".js", ".cjs"]) {
    const load = Module._extensions[kind] ?? Module._extensions[".js"];
    Module._extensions[kind] = (module, file) => {
      if (file.includes("matrix-sdk-crypto")) throw new Error("no binary for this platform");
      return load(module, file);
    };
  }
`;

async function run(script: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const preload = `data:text/javascript,${encodeURIComponent(brokenCrypto)}`;
  const args = ["--import", preload, "--input-type=module", "--eval", script];
  return promisify(execFile)(process.execPath, args);
}

it("loads where the crypto addon it requires has no binary, and says nothing while it does", async () => {
  const { stdout, stderr } = await run(`
    const { Bridge } = await import(${JSON.stringify(library)});
    console.log(typeof Bridge);
  `);
  expect([stdout, stderr]).toEqual(["function\n", ""]);
});

it("would not load without our help (the day this fails, library.ts can be shorter)", async () => {
  const script = `
    import { createRequire } from "node:module";
    createRequire(${JSON.stringify(library)})("matrix-appservice-bridge");
  `;
  await expect(run(script)).rejects.toMatchObject({ stderr: expect.stringContaining("no binary for this platform") });
});
