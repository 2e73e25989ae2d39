// A real Kamailio as the operator's proxy: digest, Record-Route, loose routing, and a table of
// numbers. It keeps no accounts in a database and never touches the SDP.
import { writeFile } from "node:fs/promises";
import { KAMAILIO } from "../setup/versions.ts";
import type { Log } from "./log.ts";
import { freePort } from "./port.ts";
import type { Rig } from "./rig.ts";
import { answersOptions } from "./sip-ping.ts";

export interface KamailioOptions {
  /** Which number goes to which port of 127.0.0.1 (UDP); all others do not exist (404). */
  readonly numbers: Readonly<Record<string, number>>;
  /** Whose calls are let through after a 407; anyone's without it. */
  readonly account?: { readonly user: string; readonly password: string };
  readonly realm?: string;
  readonly algorithm?: "MD5" | "SHA-256";
}

export interface Kamailio {
  readonly host: "127.0.0.1";
  /** For UDP and TCP. */
  readonly port: number;
  readonly realm: string;
  /** One line for each request and each final answer: see `route` below. */
  readonly log: Log;
  stop(): Promise<void>;
}

const MODULES = ["tm", "tmx", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "xlog", "auth"];

const challenge = (options: KamailioOptions, realm: string): string => {
  if (options.account === undefined) return "";
  const { user, password } = options.account;
  // The credentials of the first hop go no further (RFC 3261 s22.3).
  return `
    if (is_method("INVITE")) {
      if ($au != "${user}" || !pv_proxy_authenticate("${realm}", "${password}", "0")) {
        proxy_challenge("${realm}", "1");
        exit;
      }
      consume_credentials();
    }`;
};

const route = ({ numbers }: KamailioOptions): string =>
  [
    ...Object.entries(numbers).map(([number, port]) => `  if ($rU == "${number}") $du = "sip:127.0.0.1:${port}";`),
    '  if ($du == $null) {\n    sl_send_reply("404", "Not Found");\n    exit;\n  }',
  ].join("\n");

const configuration = (port: number, realm: string, options: KamailioOptions): string => `#!KAMAILIO
debug=2
log_stderror=yes
# one worker: two of them reorder an ACK and the BYE behind it
children=1
tcp_children=1
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
alias="${realm}"
auto_aliases=no
dns=no
rev_dns=no
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/aarch64-linux-gnu/kamailio/modules/"

${MODULES.map((name) => `loadmodule "${name}.so"`).join("\n")}

modparam("rr", "enable_full_lr", 1)
modparam("rr", "append_fromtag", 1)
modparam("tm", "fr_timer", 5000)
modparam("tm", "fr_inv_timer", 120000)
modparam("auth", "qop", "auth")
modparam("auth", "nonce_expire", 300)
modparam("auth", "algorithm", "${options.algorithm === "SHA-256" ? "SHA-256" : ""}")

request_route {
  xlog("L_NOTICE", "request $rm $ru from $proto:$si:$sp credentials=$au cseq=$cs\\n");
  if (!mf_process_maxfwd_header("20")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (is_method("OPTIONS") && uri == myself && $rU == $null) {
    sl_send_reply("200", "OK");
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    else sl_send_reply("481", "Call/Transaction Does Not Exist");
    exit;
  }
  if (has_totag()) {
    if (loose_route()) {
      if (is_method("INVITE|UPDATE")) record_route();
      t_on_reply("ANSWERS");
      t_relay();
    } else if (is_method("ACK") && t_check_trans()) {
      t_relay(); # the ACK of a refusal, for the transaction here
    } else if (!is_method("ACK")) {
      sl_send_reply("481", "Call/Transaction Does Not Exist");
    }
    exit;
  }
  if (is_method("ACK")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  t_check_trans();
${challenge(options, realm)}
  remove_hf("Route");
  if (is_method("INVITE")) record_route();
${route(options)}
  t_on_reply("ANSWERS");
  if (!t_relay()) sl_reply_error();
}

onreply_route[ANSWERS] {
  xlog("L_NOTICE", "answer $rs $rr to $rm cseq=$cs\\n");
}
`;

/** Starts the proxy; it ends with the rig. */
export async function startKamailio(rig: Rig, options: KamailioOptions): Promise<Kamailio> {
  const port = await freePort();
  const realm = options.realm ?? "sip.example.org";
  const file = rig.path(`kamailio-${port}.cfg`);
  await writeFile(file, configuration(port, realm, options));
  const proxy = await rig.start("kamailio", {
    command: KAMAILIO,
    // In the foreground, logging to its error output, with as little memory as it runs in.
    args: ["-DD", "-E", "-f", file, "-m", "32", "-M", "8", "-Y", rig.folder],
  });
  await proxy.until("Kamailio to answer", () => answersOptions(port));
  return {
    host: "127.0.0.1",
    port,
    realm,
    log: proxy.log,
    async stop() {
      await proxy.stop();
    },
  };
}
