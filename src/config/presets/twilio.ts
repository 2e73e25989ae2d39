import type { TrunkPreset } from "./preset.ts";

/** Elastic SIP Trunking: calls go out with a password, and come from Twilio's networks. */
export const twilio: TrunkPreset = {
  id: "twilio",
  title: "Twilio Elastic SIP Trunking",
  sources: [
    { url: "https://www.twilio.com/docs/sip-trunking", checked: "2026-11-30" },
    { url: "https://www.twilio.com/docs/sip-trunking/ip-addresses", checked: "2026-11-30" },
    { url: "https://www.twilio.com/docs/voice/trusted-calling-with-shakenstir", checked: "2026-12-01" },
  ],
  asks: {
    server: { question: "What is the trunk's termination SIP URI? (NAME.pstn.twilio.com)" },
    username: { question: "What is the user name in the trunk's credential list?" },
    password: {},
    number: { question: "Which of your Twilio numbers do calls show? (E.164, with +)" },
    port: { default: "5060" },
    public_address: { question: "At which public address does Twilio reach this machine?" },
  },
  trunk: {
    server: "%{server}",
    listen: { port: "%{port}" },
    advertised: { host: "%{public_address}" },
    credentials: { username: "%{username}", password_file: "%{password}" },
    peers: [
      "54.172.60.0/30",
      "54.244.51.0/30",
      "54.171.127.192/30",
      "35.156.191.128/30",
      "54.65.63.192/30",
      "54.169.127.128/30",
      "54.252.254.64/30",
      "177.71.206.192/30",
    ],
    identity: { from_user: "{number}", default_number: "%{number}" },
    inbound: { verstat: true, verstat_header: "X-Twilio-VerStat" },
    messages: { enabled: false },
    media: { codecs: ["PCMU", "PCMA"], rtp_networks: ["168.86.128.0/18"] },
  },
  callerNumbers: "e164",
  paste: [
    {
      where: "In the Twilio console, under Elastic SIP Trunking, in your trunk:",
      lines: [
        "General: Symmetric RTP on",
        "Termination: a credential list with the user %{username}",
        "Origination: sip:%{public_address}:%{port}",
        "Numbers: %{number}, and the others that shall ring in Matrix",
      ],
    },
    {
      where: "In your firewall:",
      lines: ["Let UDP port %{port} and the ports in media.rtp.ports (20000 to 29999) through to this machine."],
    },
  ],
};
