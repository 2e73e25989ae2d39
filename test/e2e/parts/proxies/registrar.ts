// A real Kamailio as a provider's registrar: digest for REGISTER, locations in memory alone, calls to a number sent to
// wherever that number is registered. With an edge proxy in front it adds Path and gives Service-Route.
import { writeFile } from "node:fs/promises";
import { KAMAILIO, KAMAILIO_MODULES } from "../../setup/versions.ts";
import type { Certificate } from "../base/certificates.ts";
import type { Log } from "../base/log.ts";
import { freePort } from "../../../../dev/loopback/free-ports.ts";
import type { Rig } from "../base/rig.ts";
import { answersOptions } from "./sip-ping.ts";

export interface RegistrarOptions {
  readonly account: { readonly user: string; readonly password: string };
  /** For how long it lets anybody be registered. */
  readonly expiresSeconds: number;
  /** With it, secure WebSocket too. */
  readonly certificate?: Certificate;
  /** The port of an edge proxy, whose Path it keeps, and which it names in Service-Route. */
  readonly edgePort?: number;
}

export interface Registrar {
  /** For UDP, TCP and WebSocket. */
  readonly port: number;
  /** For secure WebSocket; bound only with a certificate. */
  readonly tlsPort: number;
  /** One line for each request. */
  readonly log: Log;
  kill(): Promise<void>;
  /** Starts it anew: it knows nobody any more. */
  start(): Promise<void>;
}

const MODULES = ["tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "xlog", "auth", "usrloc", "registrar"].concat(
  ["nathelper", "xhttp", "websocket", "path"],
);

const secure = (tlsPort: number, { certificateFile, keyFile }: Certificate): string => `
enable_tls=yes
listen=tls:127.0.0.1:${tlsPort}
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "${certificateFile}")
modparam("tls", "private_key", "${keyFile}")
`;

const head = (port: number, more = ""): string => `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
tcp_accept_no_cl=yes
auto_aliases=no
dns=no
rev_dns=no
mpath="${KAMAILIO_MODULES}/"
${more}
${MODULES.map((name) => `loadmodule "${name}.so"`).join("\n")}
modparam("rr", "enable_full_lr", 1)
modparam("tm", "fr_timer", 5000)
modparam("auth", "qop", "auth")
modparam("path", "use_received", 1)
`;

const WEBSOCKET = `
event_route[xhttp:request] {
  if ($hdr(Upgrade) =~ "websocket" && $hdr(Sec-WebSocket-Protocol) =~ "sip" && ws_handle_handshake()) exit;
  xhttp_reply("404", "Not Found", "text/plain", "no page here");
}
`;

const LINE = `
  xlog("L_NOTICE", "request $rm $ru from $proto:$si:$sp route=$hdr(Route) expires=$hdr(Expires) credentials=$au cseq=$cs\\n");`;

/** Calls within a dialog, and what every proxy does first. */
const COMMON = `
  if (!mf_process_maxfwd_header("20")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (is_method("OPTIONS") && uri == myself) {
    sl_send_reply("200", "OK");
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (has_totag()) {
    if (loose_route()) {
      handle_ruri_alias();
      t_relay();
    } else if (is_method("ACK") && t_check_trans()) {
      t_relay();
    } else if (!is_method("ACK")) {
      sl_send_reply("481", "Call/Transaction Does Not Exist");
    }
    exit;
  }
`;

const registrar = (
  port: number,
  tlsPort: number,
  { account, expiresSeconds, certificate, edgePort }: RegistrarOptions,
): string => `${head(port, certificate === undefined ? "" : secure(tlsPort, certificate))}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "default_expires", ${expiresSeconds})
modparam("registrar", "max_expires", ${expiresSeconds})
modparam("registrar", "min_expires", 1)
modparam("registrar", "use_path", 1)
modparam("registrar", "path_mode", 0)
modparam("nathelper|registrar", "received_avp", "$avp(received)")

request_route {
${LINE}
${COMMON}
  if (is_method("REGISTER")) {
    if ($au != "${account.user}" || !pv_www_authenticate("$td", "${account.password}", "0")) {
      www_challenge("$td", "1");
      exit;
    }
${edgePort === undefined ? "    fix_nated_register();" : `    append_to_reply("Service-Route: <sip:127.0.0.1:${edgePort};lr>\\r\\n");`}
    save("location");
    exit;
  }
  record_route();
  remove_hf("Route");
  if ($si == "127.0.0.1" && $fU == "${account.user}") {
    # a call of the account's own: there is nobody else here
    sl_send_reply("486", "Busy Here");
    exit;
  }
  if (!lookup("location")) {
    sl_send_reply("404", "Not Found");
    exit;
  }
  t_on_reply("ANSWERS");
  t_relay();
}

onreply_route[ANSWERS] {
  # a client that listens nowhere is reached on the connection that it came by (RFC 7118 s5)
  if (proto == WS || proto == WSS) add_contact_alias();
}
${WEBSOCKET}`;

const edge = (port: number, registrarPort: number): string => `${head(port)}
request_route {
${LINE}
  loose_route_preloaded();
${COMMON}
  if (is_method("REGISTER")) {
    add_path_received();
    $du = "sip:127.0.0.1:${registrarPort}";
    t_relay();
    exit;
  }
  record_route();
  if ($sp == ${registrarPort}) {
    # towards whoever is registered: the Path brought it here
    loose_route();
    t_relay();
    exit;
  }
  remove_hf("Route");
  $du = "sip:127.0.0.1:${registrarPort}";
  t_relay();
}
${WEBSOCKET}`;

async function startKamailio(rig: Rig, name: string, port: number, configuration: string) {
  const file = rig.path(`${name}-${port}.cfg`);
  await writeFile(file, configuration);
  const start = async () => {
    const started = await rig.start(name, {
      command: KAMAILIO,
      args: ["-DD", "-E", "-f", file, "-m", "64", "-M", "8", "-Y", rig.folder],
    });
    await started.until("Kamailio to answer", () => answersOptions(port));
    return started;
  };
  return { start, first: await start() };
}

/** Starts the registrar; it ends with the rig. */
export async function startRegistrar(rig: Rig, options: RegistrarOptions): Promise<Registrar> {
  const port = await freePort();
  const tlsPort = await freePort();
  const { start, first } = await startKamailio(rig, "registrar", port, registrar(port, tlsPort, options));
  let running = first;
  return {
    port,
    tlsPort,
    get log() {
      return running.log;
    },
    async kill() {
      running.signal("SIGTERM");
      await running.exited;
    },
    async start() {
      running = await start();
    },
  };
}

/** Starts a proxy between the bridge and a registrar; it ends with the rig. */
export async function startEdgeProxy(rig: Rig, port: number, registrarPort: number): Promise<Log> {
  const { first } = await startKamailio(rig, "edge", port, edge(port, registrarPort));
  return first.log;
}
