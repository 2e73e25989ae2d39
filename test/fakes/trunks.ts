// Trunks that keep what they were told.
import type { SipDialogState, SipIncomingState } from "../../src/core/call/model/dialog-state.ts";
import type { ReferTarget } from "../../src/core/call/model/order.ts";
import type { CallId } from "../../src/core/ids.ts";
import type {
  InviteOrder,
  MessageOrder,
  MessageOutcome,
  SipSinks,
  SipTrunks,
  TrunkChange,
  TrunkHealth,
  TrunkSettings,
} from "../../src/ports/sip.ts";
import { formatUri } from "../../src/core/address/uri.ts";

/** With the target's URI as it would be sent. */
type Written<Order> = Omit<Order, "target"> & { readonly target: string };

function written<Order extends InviteOrder | MessageOrder>(order: Order): Written<Order> {
  return { ...order, target: formatUri(order.target) };
}

/** Every order to the trunks, in order, as `verb` and argument. */
export class FakeTrunks implements SipTrunks {
  readonly orders: { readonly call: CallId; readonly verb: string; readonly argument: unknown }[] = [];
  /** Set to make every order throw what it never should. */
  defect: Error | undefined;

  get verbs(): readonly string[] {
    return this.orders.map(({ verb }) => verb);
  }
  #note(call: CallId, verb: string, argument?: unknown): void {
    this.orders.push({ call, verb, argument });
    if (this.defect !== undefined) throw this.defect;
  }
  /** What becomes of texts. */
  messageOutcome: MessageOutcome = { kind: "delivered", status: 200 };
  readonly messages: Written<MessageOrder>[] = [];

  /** What the trunks were changed to, one after the other. */
  readonly changes: (readonly TrunkSettings[])[] = [];
  prepare(trunks: readonly TrunkSettings[]): Promise<TrunkChange> {
    return Promise.resolve({ waiting: [], commit: () => void this.changes.push(trunks), abort: async () => {} });
  }

  sinks: SipSinks | undefined;
  /** What `health` gives. */
  states: readonly TrunkHealth[] = [];
  async start(sinks: SipSinks): Promise<void> {
    this.sinks = sinks;
  }
  ring(call: CallId, status: 180 | 183): void {
    this.#note(call, "ring", status);
  }
  accept(call: CallId, sdp: string): void {
    this.#note(call, "accept", sdp);
  }
  /** By call, what the trunk was told to wait (s). */
  readonly retryAfterS = new Map<CallId, number | undefined>();
  reject(call: CallId, status: number, _q850?: number, retryAfterS?: number): void {
    this.retryAfterS.set(call, retryAfterS);
    this.#note(call, "reject", status);
  }
  dismiss(call: CallId, _incoming: SipIncomingState, status: number): void {
    this.#note(call, "dismiss", status);
  }
  info(call: CallId, digit: string): void {
    this.#note(call, "info", digit);
  }
  refer(call: CallId, target: ReferTarget): void {
    this.#note(call, "refer", target.kind === "address" ? formatUri(target.uri) : target.dialog.remoteUri);
  }
  replace(call: CallId, order: InviteOrder): void {
    this.#note(call, "replace", written(order));
  }
  refuseRefer(call: CallId, status: number): void {
    this.#note(call, "refuseRefer", status);
  }
  async message(order: MessageOrder): Promise<MessageOutcome> {
    this.messages.push(written(order));
    return this.messageOutcome;
  }
  invite(call: CallId, order: InviteOrder): void {
    this.#note(call, "invite", written(order));
  }
  cancel(call: CallId, q850?: number): void {
    this.#note(call, "cancel", q850);
  }
  bye(call: CallId, q850?: number): void {
    this.#note(call, "bye", q850);
  }
  reoffer(call: CallId, sdp: string): void {
    this.#note(call, "reoffer", sdp);
  }
  answerReoffer(call: CallId, sdp: string): void {
    this.#note(call, "answerReoffer", sdp);
  }
  refuseReoffer(call: CallId, status: number): void {
    this.#note(call, "refuseReoffer", status);
  }
  resume(call: CallId, dialog: SipDialogState): void {
    this.#note(call, "resume", dialog);
  }
  abandon(call: CallId, invite: unknown): void {
    this.#note(call, "abandon", invite);
  }
  answers = () => [];
  health(): readonly TrunkHealth[] {
    return this.states;
  }
  async stop(): Promise<void> {}
}
