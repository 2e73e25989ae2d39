// Where the answers to INVITEs come from, and the INVITEs of others: the way that is known to work where a Contact leads
// nowhere, as behind a NAT that rewrites nothing. Requests inside such a dialog go there by a setting of the trunk. Without
// it ACK and BYE go there where sending them by the Contact fails, because the leg is paid for, and a BYE once the peer's
// repeated 200 shows that our ACKs are lost.
import { RecentMap } from "../../core/recent-map.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import type { OutgoingRequest } from "../wire/outgoing-message.ts";
import { formatUri } from "../../core/address/uri.ts";
import type { Source } from "./inbound.ts";
import type { Target } from "./sockets/target.ts";

/** One lost ACK is the network's way; after so many repetitions none has arrived (RFC 3261 s13.3.1.4: for 3.5 s). */
const LOST_AFTER = 3;
const LAST_RESORT: ReadonlySet<string> = new Set(["ACK", "BYE"]);
/** Dialogs that are remembered. One that has been forgotten is reached as any other is. */
const MAX_KEPT = 5_000;

/** Whether there is a connection to that target. */
type IsOpen = (target: Target) => boolean;

export interface OtherWays {
  /** To the trunk's server. */
  readonly server: () => Promise<Target>;
  readonly isOpen: IsOpen;
}

interface Heard {
  readonly target: Target;
  /** We opened the connection that it came over, and can open another one. */
  readonly isDialled: boolean;
  /** Times that each 2xx was repeated, by its To tag. */
  readonly repeated: Map<string, number>;
  lost: boolean;
}

export class ResponseSources {
  readonly #setting: TrunkSettings["inDialog"];
  readonly #log: Log;
  /** By Call-ID, oldest first. */
  readonly #heard = new RecentMap<string, Heard>(MAX_KEPT);

  constructor({ inDialog }: TrunkSettings, log: Log) {
    this.#setting = inDialog;
    this.#log = log;
  }

  /** A response to an INVITE of ours: only who got it knows its branch. */
  answered(response: SipResponse, source: Source): void {
    const { cseq, statusCode, sipCallId, toTag } = response;
    if (cseq.method !== "INVITE" || statusCode <= 100 || statusCode >= 300 || toTag === undefined) return;
    const known = this.#heard.get(sipCallId);
    const heard: Heard = {
      ...this.#wayTo(source),
      repeated: known?.repeated ?? new Map(),
      lost: known?.lost ?? false,
    };
    this.#heard.set(sipCallId, heard);
    if (statusCode < 200) return;
    const key = `${toTag} ${cseq.number}`;
    const times = heard.repeated.get(key);
    heard.repeated.set(key, times === undefined ? 0 : times + 1);
    if (times === undefined || times + 1 < LOST_AFTER || heard.lost) return;
    heard.lost = true;
    const contact = response.contacts === "*" ? undefined : response.contacts[0];
    this.#log.warn("the trunk repeats its answer: our ACK does not reach the address in its Contact", {
      contact: contact && formatUri(contact.uri),
      answeredFrom: `${source.remote.address}:${source.remote.port}`,
      setting: "in_dialog_requests",
    });
  }

  /** A new INVITE of the trunk. */
  invited({ method, toTag, sipCallId }: SipRequest, source: Source): void {
    if (method !== "INVITE" || toTag !== undefined) return;
    this.#heard.set(sipCallId, { ...this.#wayTo(source), repeated: new Map(), lost: false });
  }

  /** Where a request inside a dialog goes. `byContact`: where its Route or Contact leads. */
  async route(request: OutgoingRequest, byContact: () => Promise<Target>, ways: OtherWays): Promise<Target> {
    const { method, callId, uri } = request;
    // What is secure does not go in the clear, wherever it came from (RFC 3261 s26.2.2).
    if (isSecure(uri)) return byContact();
    const heard = this.#heard.get(callId);
    const source = this.#sourceOf(heard, ways.isOpen);
    if (this.#setting === "source") {
      // After a restart nobody knows any more where the answer came from.
      return source ?? (heard === undefined || heard.isDialled ? ways.server() : byContact());
    }
    return method === "BYE" && heard?.lost === true && source !== undefined ? source : byContact();
  }

  /**
   * Where a request goes that could not be sent to where its Route or Contact leads. A BYE goes to the trunk's server where
   * nobody knows any more where the answer came from. Undefined: nowhere. May reject.
   */
  async lastResort(request: OutgoingRequest, ways: OtherWays, error: unknown): Promise<Target | undefined> {
    const { method, callId, uri, toTag } = request;
    if (toTag === undefined || isSecure(uri) || !LAST_RESORT.has(method)) return undefined;
    const heard = this.#heard.get(callId);
    const source = this.#sourceOf(heard, ways.isOpen);
    if (source === undefined) return method === "BYE" ? ways.server() : undefined;
    if (heard === undefined || heard.lost) return source;
    heard.lost = true;
    this.#log.warn(
      "the address in the trunk's Contact cannot be reached: ACK and BYE go to where its answer came from",
      {
        contact: uri,
        answeredFrom: `${source.address}:${source.port}`,
        setting: "in_dialog_requests",
        error,
      },
    );
    return source;
  }

  /** A connection that the trunk had opened and that was lost cannot be opened again. */
  #sourceOf(heard: Heard | undefined, isOpen: IsOpen): Target | undefined {
    if (heard === undefined) return undefined;
    const { target, isDialled } = heard;
    // A certificate is for the server's name, which is not known here.
    const canReach = target.transport === "udp" || (isDialled && target.transport === "tcp") || isOpen(target);
    return canReach ? target : undefined;
  }

  #wayTo({ remote, connection }: Source): Pick<Heard, "target" | "isDialled"> {
    const { address, port } = remote;
    const target = { transport: connection?.transport ?? "udp", address, port, host: address, path: "/" };
    return { target, isDialled: connection?.ours === true };
  }
}

function isSecure(uri: string): boolean {
  return /^sips:/i.test(uri);
}
