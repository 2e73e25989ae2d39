import type { TrunkPreset } from "./preset.ts";

/** A connection with credentials: the bridge registers. */
export const telnyx: TrunkPreset = {
  id: "telnyx",
  title: "Telnyx",
  sources: [
    { url: "https://sip.telnyx.com", checked: "2026-11-30" },
    {
      url: "https://developers.telnyx.com/docs/voice/sip-trunking/authentication/credential-types",
      checked: "2026-11-30",
    },
    { url: "https://support.telnyx.com/en/articles/7421223-shaken-stir-parameters", checked: "2026-12-01" },
    { url: "https://support.telnyx.com/voice-and-fax/general-help/dialing-format", checked: "2026-11-30" },
  ],
  asks: {
    server: { question: "Which region? (sip.telnyx.com, .eu, .ca, .com.au)", default: "sip.telnyx.com" },
    username: { question: "What is the user name of the connection?" },
    password: {},
    number: { question: "Which of your Telnyx numbers do calls show? (E.164, with +)" },
  },
  trunk: {
    server: "%{server}",
    credentials: { username: "%{username}", password_file: "%{password}" },
    registration: { expires_seconds: 600 },
    identity: { default_number: "%{number}", asserted: ["sip:{number}@%{host}"] },
    inbound: { called_number: "to", verstat: true },
    messages: { enabled: false },
    media: { codecs: ["PCMU", "PCMA", "G722"] },
  },
  callerNumbers: "e164",
  paste: [
    {
      where: "In Telnyx Mission Control:",
      lines: [
        "SIP Connections: type Credentials, user name %{username}",
        "Its Inbound tab: number format +E.164 for both DNIS and ANI",
        "Outbound Voice Profiles: one with the connection in it, and a daily spend limit",
        "Numbers: %{number} and the others, assigned to the connection",
      ],
    },
  ],
};
