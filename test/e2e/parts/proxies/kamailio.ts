// A real Kamailio as the operator's proxy: digest, Record-Route, loose routing, and a table of
// numbers, on every transport. It keeps no accounts in a database and never touches the SDP.
import { writeFile } from "node:fs/promises";
import { KAMAILIO, KAMAILIO_MODULES } from "../../setup/versions.ts";
import type { Authority, Certificate } from "../base/certificates.ts";
import type { Log } from "../base/log.ts";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import type { Rig } from "../base/rig.ts";
import { answersOptions } from "./sip-ping.ts";

export interface KamailioOptions {
  /** Which number goes to which port of 127.0.0.1 (UDP); all others do not exist (404). */
  readonly numbers: Readonly<Record<string, number>>;
  /** Whose calls are let through after a 407; anyone's without it. */
  readonly account?: { readonly user: string; readonly password: string };
  readonly realm?: string;
  readonly algorithm?: "MD5" | "SHA-256";
  /** With it, TLS and secure WebSocket too. */
  readonly tls?: KamailioTls;
}

export interface KamailioTls {
  readonly certificate: Certificate;
  /** Who has issued the certificates of clients that are let in at the guarded port. */
  readonly clients: Authority;
}

export interface Kamailio {
  readonly host: "127.0.0.1";
  /** For UDP, TCP and WebSocket. */
  readonly port: number;
  /** For TLS and secure WebSocket; bound only with `tls`. */
  readonly tlsPort: number;
  /** For TLS with a client certificate. Here alone requests to a client come on a connection of their own. */
  readonly guardedPort: number;
  readonly realm: string;
  /** One line for each request and each final answer: see `route` below. */
  readonly log: Log;
  stop(): Promise<void>;
}

const MODULES = ["tm", "tmx", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "xlog", "auth"].concat([
  "nathelper",
  "xhttp",
  "websocket",
]);

interface Ports {
  readonly plain: number;
  readonly tls: number;
  readonly guarded: number;
}

const secure = (ports: Ports, domainsFile: string): string => `
enable_tls=yes
listen=tls:127.0.0.1:${ports.tls}
listen=tls:127.0.0.1:${ports.guarded}
loadmodule "tls.so"
modparam("tls", "config", "${domainsFile}")
`;

/** Kamailio's own file of TLS settings by address. As a client it shows its certificate and verifies the other's. */
const domains = (ports: Ports, { certificate, clients }: KamailioTls): string => {
  const own = `method = TLSv1.2+\ncertificate = ${certificate.certificateFile}\nprivate_key = ${certificate.keyFile}`;
  const verifying = `ca_list = ${clients.certificateFile}\nverify_certificate = yes\nrequire_certificate = yes`;
  return `[server:default]
${own}
verify_certificate = no
[server:127.0.0.1:${ports.guarded}]
${own}
${verifying}
[client:default]
${own}
${verifying}
`;
};

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

const configuration = (
  ports: Ports,
  realm: string,
  options: KamailioOptions,
  domainsFile: string,
): string => `#!KAMAILIO
debug=2
log_stderror=yes
# one worker: two of them reorder an ACK and the BYE behind it
children=1
tcp_children=1
listen=udp:127.0.0.1:${ports.plain}
listen=tcp:127.0.0.1:${ports.plain}
# HTTP requests, with which a WebSocket begins, need not say how long they are
tcp_accept_no_cl=yes
alias="${realm}"
auto_aliases=no
dns=no
rev_dns=no
mpath="${KAMAILIO_MODULES}/"
${options.tls === undefined ? "" : secure(ports, domainsFile)}
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
      handle_ruri_alias();
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
  # a client that listens nowhere is reached on the connection that it came by (RFC 7118 s5, RFC 5923)
  if (proto != UDP && proto != TCP && $Rp != ${ports.guarded}) add_contact_alias();
  if (is_method("INVITE")) record_route();
${route(options)}
  t_on_reply("ANSWERS");
  if (!t_relay()) sl_reply_error();
}

event_route[xhttp:request] {
  if ($hdr(Upgrade) =~ "websocket" && $hdr(Sec-WebSocket-Protocol) =~ "sip" && ws_handle_handshake()) exit;
  xhttp_reply("404", "Not Found", "text/plain", "no page here");
}

onreply_route[ANSWERS] {
  xlog("L_NOTICE", "answer $rs $rr to $rm from $proto:$si:$sp cseq=$cs\\n");
}
`;

/** Starts the proxy; it ends with the rig. */
export async function startKamailio(rig: Rig, options: KamailioOptions): Promise<Kamailio> {
  const ports = { plain: await freePort(), tls: await freePort(), guarded: await freePort() };
  const port = ports.plain;
  const realm = options.realm ?? "sip.example.org";
  const file = rig.path(`kamailio-${port}.cfg`);
  const domainsFile = rig.path(`kamailio-${port}-tls.cfg`);
  await writeFile(file, configuration(ports, realm, options, domainsFile));
  if (options.tls !== undefined) await writeFile(domainsFile, domains(ports, options.tls));
  const proxy = await rig.start("kamailio", {
    command: KAMAILIO,
    // In the foreground, logging to its error output, with as little memory as it runs in.
    args: ["-DD", "-E", "-f", file, "-m", "64", "-M", "8", "-Y", rig.folder],
  });
  await proxy.until("Kamailio to answer", () => answersOptions(port));
  return {
    host: "127.0.0.1",
    port,
    tlsPort: ports.tls,
    guardedPort: ports.guarded,
    realm,
    log: proxy.log,
    async stop() {
      await proxy.stop();
    },
  };
}
