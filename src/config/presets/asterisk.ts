import type { TrunkPreset } from "./preset.ts";

/** The bridge logs in, so that Asterisk needs no address of it. docs/trunks/asterisk-examples.md explains the lines, and has other ways. */
export const asterisk: TrunkPreset = {
  id: "asterisk",
  title: "Asterisk",
  sources: [
    {
      url: "https://github.com/asterisk/asterisk/blob/master/configs/samples/pjsip.conf.sample",
      checked: "2026-11-30",
    },
  ],
  // By hand, 2026-11-29: the example with registration in docs/trunks/asterisk-examples.md, of which these lines are a shorter form.
  runWith: "Asterisk 22",
  asks: {
    server: { question: "Where is Asterisk? Its address, with :port if it is not 5060." },
    username: { default: "matrix" },
    password: { isMadeUp: true },
    address: { question: "Which address of this machine does Asterisk reach?" },
  },
  trunk: {
    server: "%{server}",
    listen: { host: "%{address}" },
    credentials: { username: "%{username}", password_file: "%{password}" },
    registration: { expires_seconds: 600 },
    identity: { asserted: ["sip:{number}@%{host}"] },
  },
  callerNumbers: "e164",
  paste: [
    {
      where: "In pjsip.conf, if there is no UDP transport yet:",
      lines: ["[transport-udp]", "type=transport", "protocol=udp", "bind=0.0.0.0:%{server_port}"],
    },
    {
      where: "In pjsip.conf:",
      lines: [
        "[%{username}]",
        "type=endpoint",
        "context=from-matrix",
        "disallow=all",
        "allow=alaw,ulaw,g722",
        "dtmf_mode=rfc4733",
        "direct_media=no",
        "aors=%{username}",
        "auth=%{username}",
        "send_pai=yes",
        "trust_id_inbound=yes",
        "trust_id_outbound=yes",
        "moh_passthrough=yes",
        "",
        "[%{username}]",
        "type=aor",
        "max_contacts=1",
        "remove_existing=yes",
        "qualify_frequency=30",
        "",
        "[%{username}]",
        "type=auth",
        "auth_type=userpass",
        "username=%{username}",
        "password=%{secret}",
      ],
    },
    {
      where: "In extensions.conf. Add what people may dial to from-matrix, and let your telephones reach to-matrix:",
      lines: [
        "[from-matrix]",
        "exten => 600,1,Answer()",
        " same => n,Echo()",
        "",
        "[to-matrix]",
        "exten => %{called},1,Dial(PJSIP/${EXTEN}@%{username},45)",
      ],
    },
  ],
};
