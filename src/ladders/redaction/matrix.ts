// A Matrix event as a ladder shows it: of a call's events the fields that are known, each if it has its form. Everything else
// is left out and counted, names of fields included.
import { asNumber, marksInJson, withoutControl } from "./marks.ts";
import { removed } from "./sip-address.ts";
import { shownCandidate, shownSdp } from "./sdp.ts";

type Show = (value: unknown) => unknown;
/** What is not shown at all. */
const none = Symbol("left out");

const text =
  (form: RegExp): Show =>
  (value) =>
    typeof value === "string" && form.test(value) ? value : none;
const number: Show = (value) => (typeof value === "number" && Number.isFinite(value) ? value : none);
const flag: Show = (value) => (typeof value === "boolean" ? value : none);
const secret: Show = () => removed;

/** Chosen at random by clients and homeservers. */
const id = text(/^[\w.~:$!@+/=#-]{0,255}$/);
const user = (value: unknown): unknown => (isUser(value) ? value : none);
const list =
  (show: Show, most: number): Show =>
  (value) => {
    if (!Array.isArray(value)) return none;
    const items: readonly unknown[] = value.slice(0, most);
    const shown = items.map(show).filter((one) => one !== none);
    const leftOut = value.length - shown.length;
    return leftOut > 0 ? [...shown, { "left out": leftOut }] : shown;
  };

type Fields = Readonly<Record<string, Show>>;

const object =
  (fields: Fields): Show =>
  (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return none;
    const shown: Record<string, unknown> = {};
    let leftOut = 0;
    for (const [name, inner] of Object.entries(value)) {
      const kept = Object.hasOwn(fields, name) ? fields[name]?.(inner) : none;
      if (kept === none) leftOut += 1;
      else shown[name] = kept;
    }
    return leftOut > 0 ? { ...shown, "left out": leftOut } : shown;
  };

const description = object({
  type: text(/^(?:offer|answer|pranswer|rollback)$/),
  sdp: (value) => (typeof value === "string" ? shownSdp(value).split("\r\n").filter(Boolean) : none),
});

const candidates = object({
  candidate: (value) =>
    value === "" ? "" : typeof value === "string" ? (shownCandidate(value.replace(/^a=/, "")) ?? none) : none,
  sdpMid: text(/^(?:\d{1,3}|audio|video|data)$/),
  sdpMLineIndex: number,
});

/** Purposes alone: the streams' names are the clients' own. */
const streams: Show = (value) =>
  typeof value === "object" && value !== null ? { streams: Object.keys(value).length } : none;

const word = text(/^[a-z0-9_.]{1,60}$/);
const reasons =
  /^(?:user_hangup|user_busy|user_media_failed|ice_failed|ice_timeout|invite_timeout|answered_elsewhere|unknown_error|replaced|new_session|busy|timeout|disconnected)$/;
const memberships = text(/^(?:invite|join|leave|ban|knock)$/);
const shortWords =
  /^(?:m\.call|m\.room|livekit|oldest_membership|multi_sfu|ring|notification|m\.usermedia|m\.reference)$/;

/** The place of a token service, without what may stand in its path or query. */
const place: Show = (value) => {
  if (typeof value !== "string") return none;
  const host = /^https?:\/\/([\w.-]{1,253})(?::\d{1,5})?(?:[/?#]|$)/.exec(value);
  return host === null ? none : `https://${host[1] ?? ""}/`;
};

const transport = object({
  type: text(shortWords),
  focus_selection: text(shortWords),
  livekit_service_url: place,
  livekit_alias: id,
});

const asserted = object({ id: user, display_name: secret });

const fields: Fields = {
  call_id: id,
  party_id: id,
  selected_party_id: id,
  version: (value) => (value === 0 || value === 1 || value === "0" || value === "1" ? value : none),
  lifetime: number,
  invitee: user,
  reason: text(reasons),
  offer: description,
  answer: description,
  description,
  candidates: list(candidates, 100),
  capabilities: object({ "m.call.transferee": flag, "m.call.dtmf": flag }),
  sdp_stream_metadata: streams,
  "org.matrix.msc3077.sdp_stream_metadata": streams,
  asserted_identity: asserted,
  "org.matrix.msc3086.asserted_identity": asserted,
  replacement_id: id,
  create_call: id,
  await_call: id,
  target_room: id,
  target_user: object({ id: user, display_name: secret }),
  membership: memberships,
  is_direct: flag,
  application: (value) =>
    typeof value === "string" ? text(shortWords)(value) : object({ type: text(shortWords) })(value),
  scope: text(shortWords),
  device_id: id,
  membershipID: id,
  expires: number,
  created_ts: number,
  sender_ts: number,
  notification_type: text(shortWords),
  focus_active: transport,
  foci_preferred: list(transport, 10),
  rtc_transports: list(transport, 10),
  slot_id: text(/^m\.call#(?:ROOM)?$/),
  sticky_key: id,
  msc4354_sticky_key: id,
  member: object({ id, claimed_user_id: user, claimed_device_id: id, user_id: user, device_id: id }),
  versions: list(word, 10),
  "m.relates_to": object({ rel_type: text(shortWords), event_id: id }),
};

const shownContent = object(fields);

/** Types of events that are shown in full, and those of which is said only that they were there. */
const signalling =
  /^(?:(?:m|org\.matrix)\.call\.(?:invite|answer|candidates|hangup|reject|select_answer|negotiate|replaces|asserted_identity|sdp_stream_metadata_changed|notify)|(?:org\.matrix\.msc3086|m)\.call\.asserted_identity(?:_prefix)?|org\.matrix\.call\.(?:asserted_identity|sdp_stream_metadata_changed)|org\.matrix\.msc3401\.call\.member|(?:org\.matrix\.msc4143\.|m\.)(?:rtc|call)\.member|(?:org\.matrix\.msc4075\.|m\.)rtc\.notification|(?:org\.matrix\.msc4310\.|m\.)rtc\.decline|m\.room\.member)$/;
const contents = /^(?:m\.room\.message|m\.reaction|(?:io\.element|m)\.(?:call|rtc)\.encryption_keys?)$/;

function isUser(value: unknown): value is string {
  return typeof value === "string" && /^@[^:\s"\\]{1,200}:[\w.:[\]-]{1,100}$/.test(value);
}

export interface ShownEvent {
  readonly label: string;
  /** Of the one call that it is about; undefined: it is about the room. */
  readonly matrixCallId: string | undefined;
  readonly text: string;
}

export interface EventToShow {
  readonly room: string;
  readonly sender: string;
  readonly type: string;
  readonly stateKey?: string | undefined;
  readonly content: unknown;
  readonly encrypted: boolean;
}

/** A membership with nothing in it is its end. */
function labelOf(type: string, content: object): string {
  if (type === "m.room.member") {
    const membership = "membership" in content ? memberships(content.membership) : none;
    return typeof membership === "string" ? `membership ${membership}` : "membership";
  }
  if (/\.(?:call|rtc)\.member$/.test(type))
    return Object.keys(content).length < 3 ? "rtc membership ends" : "rtc membership";
  if (type.endsWith("rtc.notification")) return "rtc ring";
  if (type.endsWith("rtc.decline")) return "rtc decline";
  return type.replace(/^org\.matrix\.call\./, "m.call.");
}

/** Of users, ghosts have a telephone number in their name. */
export class EventRedaction {
  readonly #ghost: RegExp;

  constructor(ghostPrefix: string) {
    this.#ghost = new RegExp(
      `(@${ghostPrefix.replaceAll(/[^a-z0-9_]/gi, String.raw`\$&`)})((?:(?!%40|=40)[^:\\s"'])+)`,
      "gi",
    );
  }

  /** Ghosts' numbers marked. */
  user(name: string): string {
    return isUser(name)
      ? withoutControl(name).replaceAll(this.#ghost, (_, before: string, who: string) => before + asNumber(who))
      : removed;
  }

  /** Undefined: it has nothing to do with calls. */
  shown({ room, sender, type, stateKey, content, encrypted }: EventToShow): ShownEvent | undefined {
    const isSignalling = signalling.test(type);
    if (!isSignalling && !contents.test(type)) return undefined;
    const inside = typeof content === "object" && content !== null ? content : {};
    const key =
      stateKey === undefined
        ? undefined
        : isUser(stateKey)
          ? stateKey
          : /^_?@[^\s"\\]{1,250}$/.test(stateKey)
            ? stateKey
            : removed;
    const event = {
      type,
      room: id(room) === none ? removed : room,
      sender: isUser(sender) ? sender : removed,
      state_key: key,
      encrypted: encrypted || undefined,
      content: isSignalling ? shownContent(inside) : removed,
    };
    const callId = "call_id" in inside && type !== "org.matrix.msc3401.call.member" ? inside.call_id : undefined;
    const json = JSON.stringify(
      event,
      (_, value: unknown) => (typeof value === "string" ? this.#marked(value) : value),
      2,
    );
    return {
      label: isSignalling
        ? labelOf(type, inside)
        : `${type.startsWith("m.room.") ? "message" : type === "m.reaction" ? "reaction" : "keys"} (left out)`,
      matrixCallId: typeof callId === "string" && id(callId) !== none && callId !== "" ? callId : undefined,
      text: marksInJson(json),
    };
  }

  #marked(value: string): string {
    return withoutControl(value).replaceAll(this.#ghost, (_, before: string, who: string) => before + asNumber(who));
  }
}
