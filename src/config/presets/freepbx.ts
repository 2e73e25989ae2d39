import type { TrunkPreset } from "./preset.ts";

/** By address: FreePBX calls it a trunk without registration and authentication. */
export const freepbx: TrunkPreset = {
  id: "freepbx",
  title: "FreePBX",
  sources: [
    { url: "https://community.freepbx.org/t/freepbx-pjsip-trunk-with-no-reg-or-auth/105124", checked: "2026-11-30" },
  ],
  asks: {
    server: { question: "Where is FreePBX? Its address, with :port if its PJSIP port is not 5060." },
    address: { question: "Which address of this machine does FreePBX reach?" },
    port: { default: "5062" },
  },
  trunk: {
    server: "%{server}",
    listen: { host: "%{address}", port: "%{port}" },
    identity: { from_user: "{number}", from_display_name: "{displayname}" },
  },
  callerNumbers: "e164",
  paste: [
    {
      where: "In FreePBX, under Connectivity, Trunks, add a trunk (chan_pjsip):",
      lines: [
        "General: Trunk Name %{name}",
        "pjsip Settings, General: Authentication None, Registration None, SIP Server %{address}, SIP Server Port %{port}, Context from-internal",
        "pjsip Settings, Advanced: Match (Permit) %{address}, Trust RPID/PAI Yes, Send RPID/PAI Send P-Asserted-Identity header",
        "pjsip Settings, Codecs: alaw, ulaw, g722",
      ],
    },
    {
      where: "Under Connectivity, Outbound Routes, add a route over that trunk with these dial patterns:",
      lines: ["%{called}"],
    },
    {
      where: "What from-internal means:",
      lines: [
        "Whoever may call over the bridge can dial whatever an extension of FreePBX can, outside lines included.",
      ],
    },
  ],
};
