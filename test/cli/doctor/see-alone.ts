// One broken link, and what the doctor may say of it.
import { createSocket } from "node:dgram";
import { expect } from "vitest";
import { bind } from "../../../dev/loopback/listen.ts";
import type { CheckId } from "../../../src/cli/doctor/catalogue.ts";
import { examine, world, type Breakage, type Checked, type ConfigText, type Ends } from "./world.ts";

export interface Broken extends Breakage {
  readonly link: CheckId;
  readonly what: string;
  readonly state?: "warning";
  readonly found: RegExp;
  readonly mend: RegExp;
}

export const patience = { timeout: 120_000 };

export const withTrunk = (changes: object) => ({
  config: ({ trunk }: ConfigText) => ({ trunks: [{ ...trunk, ...changes }] }),
});
export const withMedia = (changes: object) => ({
  config: ({ media }: ConfigText) => ({ media: { ...media, ...changes } }),
});
export const withHomeserver = (url: string) => ({ config: () => ({ homeserver: { url, domain: "example.org" } }) });

/** Another program has that port. */
export async function take(port: number, ends: Ends): Promise<void> {
  const socket = createSocket("udp4");
  ends(() => void socket.close());
  await bind(socket, port);
}

export const isWrong = ({ state }: Checked): boolean => state === "failed" || state === "warning";

/** That link is named with what mends it, and nothing else is, but what hangs on it. */
export async function seeAlone(broken: Broken, ends: Ends): Promise<void> {
  const checks = await examine(await world(ends, broken), broken);
  expect(checks.filter(isWrong).map(({ id, state, problems }) => ({ id, state, problems }))).toEqual([
    {
      id: broken.link,
      state: broken.state ?? "failed",
      problems: [{ found: expect.stringMatching(broken.found), mend: expect.stringMatching(broken.mend) }],
    },
  ]);
  const blockers = new Set(checks.flatMap((check) => check.blocked_by ?? []));
  expect([...blockers].filter((id) => id !== broken.link)).toEqual([]);
  if (broken.state === "warning") expect(blockers.size).toBe(0);
}
