import { expect, test } from "vitest";
import { isHost } from "../../../src/core/address/host.ts";

test.each([
  "sip.example.org",
  "a",
  "192.0.2.1",
  "[2001:db8::1]",
  "[::]",
  "[::ffff:192.0.2.1]",
  "xn--bcher-kva.example",
  "my_pbx",
])("%s is a host", (text) => expect(isHost(text)).toBe(true));

test.each([
  "",
  "a b",
  "-a",
  "a-",
  "a..b",
  ".a",
  "a.",
  "1.2.3",
  "256.1.1.1",
  "2001:db8::1",
  "[1:2]",
  "[::1",
  "[g::]",
  "[1::2::3]",
  "[1:2:3:4:5:6:7:8:9]",
  "a:5060",
  "a@b",
  "é",
  "a".repeat(64),
  `${"a.".repeat(130)}b`,
])("%j is no host", (text) => expect(isHost(text)).toBe(false));
