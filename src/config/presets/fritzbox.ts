import type { TrunkPreset } from "./preset.ts";

/** The bridge is one of the Fritz!Box's telephones. */
export const fritzbox: TrunkPreset = {
  id: "fritzbox",
  title: "Fritz!Box",
  sources: [
    // A trace of a call: the number that was called stands in P-Called-Party-ID, as dialled in the country.
    { url: "https://github.com/haumacher/phoneblock/issues/85", checked: "2026-11-30" },
    { url: "https://github.com/arnonym/ha-plugins", checked: "2026-11-30" },
  ],
  asks: {
    server: { default: "fritz.box" },
    username: { default: "matrixbridge" },
    password: { isMadeUp: true },
  },
  trunk: {
    server: "%{server}",
    credentials: { username: "%{username}", password_file: "%{password}" },
    registration: { expires_seconds: 300 },
    number_format: "national",
    inbound: { called_number: "P-Called-Party-ID", number_format: "national" },
    messages: { enabled: false },
    media: { codecs: ["PCMA", "PCMU", "G722"] },
  },
  paste: [
    {
      where: "In the Fritz!Box, under Telephony, Telephony Devices, Configure New Device:",
      lines: [
        "Telephone, then LAN/WLAN (IP telephone)",
        "User name %{username}, password %{secret}",
        "Outgoing calls: the number that your people shall call with",
        "Incoming calls: the numbers that shall ring in Matrix",
      ],
    },
  ],
};
