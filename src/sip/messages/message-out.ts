// One MESSAGE of ours (RFC 3428): over the trunk's servers until one answers, and what became of it.
import type { MessageOrder, MessageOutcome } from "../../ports/sip.ts";
import { identityHeaders } from "../headers/identity-headers.ts";
import { retryAfterMs } from "../headers/retry-after.ts";
import type { FinalResponse } from "../user-agent/peer-request.ts";
import type { OutOfDialogParts } from "../user-agent/user-agent.ts";
import { targetKey } from "../transport/sockets/target.ts";
import { TransportError } from "../transport/sockets/transport-error.ts";
import type { Trunk } from "../trunk/trunk.ts";

/** A datagram holds no more, and the parser on the other side may take less. */
const MAX_TEXT_BYTES = 60_000;

/** Never rejects. */
export async function sendMessage(order: MessageOrder, trunk: Trunk, newId: () => string): Promise<MessageOutcome> {
  try {
    if (Buffer.byteLength(order.text) > MAX_TEXT_BYTES) {
      return { kind: "refused", status: 513, phrase: "Message Too Large" };
    }
    // The same ids at every server: whoever gets it twice can tell.
    const ids = { sipCallId: newId(), fromTag: newId() };
    return await overServers(trunk, { ...partsOf(order, trunk.serverHost), ...ids });
  } catch (error) {
    if (!(error instanceof TransportError)) return { kind: "failed", fault: "internal" };
    return { kind: "failed", fault: error.code === "resolve" ? "resolve" : "transport" };
  }
}

function partsOf(
  { target, identity, text }: MessageOrder,
  serverHost: string,
): Omit<OutOfDialogParts, "sipCallId" | "fromTag"> {
  const { from, headers } = identityHeaders(identity, serverHost);
  const body = { contentType: "text/plain;charset=UTF-8", content: text };
  return { method: "MESSAGE", uri: target, from, headers, body };
}

/** RFC 3263 s4.3: the next server after a failure to send, no answer, or a 503. */
async function overServers(trunk: Trunk, parts: OutOfDialogParts): Promise<MessageOutcome> {
  const tried = new Set<string>();
  let outcome: MessageOutcome = { kind: "failed", fault: "resolve" };
  for (;;) {
    const target = await trunk.pickTarget(tried);
    if (target === undefined) return outcome;
    tried.add(targetKey(target));
    const answer = await new Promise<FinalResponse>((resolve) => trunk.askAt(target, parts, resolve));
    outcome = outcomeOf(answer);
    if (answer.kind === "response") {
      if (answer.statusCode !== 503) return outcome;
      // Without a time it may be texts alone that it does not serve: calls still go there.
      const restMs = retryAfterMs(answer);
      if (restMs !== undefined) trunk.targetFailed(target, "MESSAGE answered 503", restMs);
    } else if (answer.fault === "transport") trunk.targetFailed(target, answer.message);
  }
}

function outcomeOf(answer: FinalResponse): MessageOutcome {
  if (answer.kind === "none") return { kind: "failed", fault: answer.fault };
  const { statusCode: status, reasonPhrase: phrase } = answer;
  if (status < 300) return { kind: "delivered", status };
  if (status === 401 || status === 407) return { kind: "failed", fault: "credentials" };
  return { kind: "refused", status, phrase };
}
