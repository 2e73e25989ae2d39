// The demo's command line.
import { parseArgs } from "node:util";

export interface DemoOptions {
  readonly headless: boolean;
  /** The headless call comes from the gateway. */
  readonly inbound: boolean;
  /** The headless call is one of MatrixRTC, at a LiveKit server. */
  readonly rtc: boolean;
  /** What the headless caller dials. */
  readonly number: string;
  /** Of the softphone page. */
  readonly port: number;
  readonly transport: "udp" | "tcp";
  readonly configPath: string | undefined;
  readonly printConfig: boolean;
  readonly help: boolean;
}

/** Something that can be said in one line to whoever started the demo. */
export class DemoError extends Error {
  override readonly name = "DemoError";
  readonly code: "usage" | "port-taken" | "call-failed";
  constructor(code: DemoError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const DEFAULT_PORT = 8_090;
/** A tone of 440 Hz. */
const DEFAULT_NUMBER = "02079460102";

export const USAGE = `npm run demo -- [options]

  --headless        place one call without a browser, measure it, and exit with 0 or 1
  --inbound         with --headless: the gateway calls, and the client answers
  --rtc             with --headless: call by MatrixRTC, at the livekit-server that this machine has
  --number NUMBER   with --headless: what to call (${DEFAULT_NUMBER})
  --port PORT       of the softphone page (${DEFAULT_PORT}); 0 takes any free one
  --tcp             SIP over TCP instead of UDP
  --config FILE     the bridge's configuration instead of the demo's own
  --print-config    show the demo's own configuration
  --help            this text
`;

/** Throws DemoError. */
export function readOptions(argv: readonly string[]): DemoOptions {
  const values = parse(argv);
  const port = values.port ?? String(DEFAULT_PORT);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new DemoError("usage", `--port should be a port number, 0 to 65535, not ${JSON.stringify(port)}`);
  }
  const [headless, inbound, rtc] = [values.headless ?? false, values.inbound ?? false, values.rtc ?? false];
  if (inbound && !headless) {
    throw new DemoError("usage", "--inbound goes with --headless; the page has a button that lets the gateway call");
  }
  if (inbound && values.number !== undefined) {
    throw new DemoError("usage", "--number is whom to call, and with --inbound the gateway calls");
  }
  if (rtc && (!headless || inbound)) {
    throw new DemoError("usage", "--rtc goes with --headless, and not with --inbound");
  }
  return {
    headless,
    inbound,
    rtc,
    number: values.number ?? DEFAULT_NUMBER,
    port: Number(port),
    transport: values.tcp === true ? "tcp" : "udp",
    configPath: values.config,
    printConfig: values["print-config"] ?? false,
    help: values.help ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        headless: { type: "boolean" },
        inbound: { type: "boolean" },
        rtc: { type: "boolean" },
        number: { type: "string" },
        port: { type: "string" },
        tcp: { type: "boolean" },
        config: { type: "string" },
        "print-config": { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (cause) {
    const [first = ""] = String(cause instanceof Error ? cause.message : cause).split("\n");
    throw new DemoError("usage", `${first.replace(/\. To specify .*/, "")}; --help shows what there is`, { cause });
  }
}
