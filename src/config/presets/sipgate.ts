import type { TrunkPreset } from "./preset.ts";

/** sipgate trunking. */
export const sipgate: TrunkPreset = {
  id: "sipgate",
  title: "sipgate trunking",
  sources: [
    {
      url: "https://help.sipgate.de/trunking/wie-setze-ich-bei-sipgate-trunking-die-absenderrufnummer",
      checked: "2026-11-30",
    },
  ],
  asks: {
    server: { default: "sipconnect.sipgate.de" },
    username: { question: "What is the SIP-ID of the trunk? (such as 1234567t0)" },
    password: { question: "What is the SIP password of the trunk?" },
    number: { question: "Which of your numbers do calls show? (without +, such as 49211123456789)" },
  },
  trunk: {
    server: "%{server}",
    credentials: { username: "%{username}", password_file: "%{password}" },
    registration: { expires_seconds: 600 },
    number_format: "e164-without-plus",
    identity: { default_number: "%{number}", preferred: "sip:{number}@%{host}" },
    inbound: { called_number: "to" },
    messages: { enabled: false },
    media: { codecs: ["PCMA", "PCMU", "G722"] },
  },
  callerNumbers: "e164-without-plus",
  paste: [
    {
      where: "In the sipgate account:",
      lines: [
        "Take SIP-ID %{username} and its password from the trunk's settings, and route your numbers to this trunk.",
      ],
    },
  ],
};
