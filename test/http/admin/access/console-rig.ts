// The admin port with a console, and browsers that log in to it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ask, newFolder, startAdmin, token, type Answer, type Asking } from "../admin-rig.ts";

export const page = "<!doctype html><script type=module src=./assets/index-Ab3_x-9Z.js></script>";
export const script = `console.log("${"hello ".repeat(100)}");`;

/** As vite builds it. */
export function consoleFolder(): string {
  const folder = newFolder();
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), page);
  writeFileSync(join(folder, "icon.svg"), "<svg/>");
  writeFileSync(join(folder, "assets", "index-Ab3_x-9Z.js"), script);
  writeFileSync(join(folder, "notes.md"), "nobody's business");
  writeFileSync(join(folder, "..", "outside.txt"), "secret");
  return folder;
}

export type Browser = (path: string, asking?: Asking) => Promise<Answer>;

/** A page of the console in a browser: it says where it comes from, and keeps its cookies. */
export function browserAt(port: number, scheme: "http" | "https" = "http"): Browser {
  const jar = new Map<string, string>();
  return async (path, { headers, ...asking } = {}) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const isRead = (asking.method ?? "GET") === "GET";
    const answer = await ask({ port }, `/admin/v1${path}`, {
      ...asking,
      headers: {
        "sec-fetch-site": "same-origin",
        ...(isRead ? {} : { origin: `${scheme}://127.0.0.1:${port}`, "x-console": "1" }),
        ...(cookie === "" ? {} : { cookie }),
        ...headers,
      },
    });
    for (const set of [answer.headers["set-cookie"] ?? []].flat()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      jar.set(name, value);
    }
    return answer;
  };
}

export async function startConsole(options: Parameters<typeof startAdmin>[0] = {}) {
  const rig = await startAdmin({ consoleFolder: consoleFolder(), ...options });
  return {
    ...rig,
    browser: browserAt(rig.port),
    get: (path: string, headers = {}, method = "GET") => ask({ port: rig.port }, path, { headers, method }),
  };
}

export const withToken: Asking = { method: "POST", body: { token } };
