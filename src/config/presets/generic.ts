// Trunks of which nothing is known but how they find each other.
import type { TrunkPreset } from "./preset.ts";

export const registering: TrunkPreset = {
  id: "register",
  title: "another provider or PBX, with user name and password",
  sources: [{ url: "https://www.rfc-editor.org/rfc/rfc3261#section-10", checked: "2026-11-30" }],
  runWith: "Kamailio 5.6",
  asks: { server: {}, username: {}, password: {} },
  trunk: {
    server: "%{server}",
    credentials: { username: "%{username}", password_file: "%{password}" },
    registration: { expires_seconds: 600 },
    identity: { asserted: ["sip:{number}@%{host}"] },
    inbound: { called_number: "to" },
  },
  callerNumbers: "e164",
  paste: [
    {
      where: "At your provider or PBX:",
      lines: ["An account %{username} that may register, and to which your numbers are routed."],
    },
  ],
};

export const byAddress: TrunkPreset = {
  id: "address",
  title: "another provider or PBX, by its address",
  sources: [{ url: "https://www.rfc-editor.org/rfc/rfc3261#section-8.1.2", checked: "2026-11-30" }],
  runWith: "baresip 1.0, Kamailio 5.6",
  asks: {
    server: {},
    number: {
      question: "Which number do calls show, of people who have none of their own? Empty: none.",
      isOptional: true,
    },
    address: { question: "Which address of this machine does it reach?" },
    port: { default: "5062" },
    public_address: {
      question: "Which public address, if that one is behind NAT? Empty: it is not.",
      isOptional: true,
    },
  },
  trunk: {
    server: "%{server}",
    listen: { host: "%{address}", port: "%{port}" },
    advertised: { host: "%{public_address}" },
    identity: { from_user: "{number}", default_number: "%{number}" },
  },
  callerNumbers: "e164",
  paste: [
    {
      where: "At your provider or PBX:",
      lines: ["Send calls to this machine's port %{port} (UDP), and accept calls from it."],
    },
  ],
};
