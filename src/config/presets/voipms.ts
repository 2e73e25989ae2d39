import type { TrunkPreset } from "./preset.ts";

/** A sub account. Numbers go out as in North America, which is how VoIP.ms reads them unless an account says otherwise. */
export const voipms: TrunkPreset = {
  id: "voipms",
  title: "VoIP.ms",
  sources: [
    { url: "https://wiki.voip.ms/article/Account_Settings", checked: "2026-11-30" },
    { url: "https://wiki.voip.ms/article/Sub_Accounts", checked: "2026-11-30" },
  ],
  asks: {
    server: { question: "Which server is your number on? (such as atlanta.voip.ms)" },
    username: { question: "What is the name of the sub account? (such as 123456_matrix)" },
    password: {},
  },
  trunk: {
    server: "%{server}",
    credentials: { username: "%{username}", password_file: "%{password}" },
    registration: { expires_seconds: 300 },
    number_format: "national",
    country: "US",
    inbound: { called_number: "to" },
    media: { codecs: ["PCMU"] },
  },
  paste: [
    {
      where: "In the VoIP.ms portal:",
      lines: [
        "Sub Accounts: %{username}, protocol SIP, user/password authentication, codec G.711U, and the CallerID number that calls show",
        "Account Settings: limit international calls to what you need",
        "Manage DIDs: route your numbers to that sub account, point of presence %{server}",
      ],
    },
  ],
};
