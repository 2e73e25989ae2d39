// Calls as earlier releases stored them, converted to today's form. Those stored the call with its phase, in fields side by
// side; the first release knew only outbound calls, later ones one ghost for all rooms of a call. Nobody is in these calls any
// more: they are read only so that the restart can end them. What comes out is parsed like any other stored call.
type Fields = Readonly<Record<string, unknown>>;

/** A call of today's form is given back as it is. */
export function inTodaysForm(stored: Fields): unknown {
  return "version" in stored ? stored : fromFirstForm(stored);
}

function fromFirstForm(call: Fields): unknown {
  const phase = call["phase"];
  const wasEnding = phase === "ending" || phase === "parting";
  const notices =
    typeof call["notices"] === "boolean" ? { failures: call["notices"], history: false } : call["notices"];
  const leg = call["leg"];
  const outstanding = fieldsOf(call["outstanding"]);
  const { id, direction, number, called, startedAtMs, maxDurationMs } = call;
  const address = leg ?? call["address"] ?? firstRoomOf(call);
  return {
    interrupted: !wasEnding,
    notices: wasEnding ? [] : restartNotices(call, fieldsOf(notices)),
    call: {
      id,
      direction,
      number,
      called: called ?? fieldsOf(fieldsOf(call["right"])["trunk"])["number"],
      startedAtMs,
      maxDurationMs,
      notices,
      outstanding: { releases: 0, farewells: [] },
      phase: {
        kind: "ending",
        leg,
        address,
        person: call["person"] ?? fieldsOf(leg)["person"],
        cause: wasEnding ? call["cause"] : "restarted",
        sipStatus: call["sipStatus"],
        trunks: trunksOf(call),
        ringingAtMs: call["ringingAtMs"],
        answeredAtMs: call["answeredAtMs"] ?? call["acceptedAtMs"],
        endedAtMs: call["endedAtMs"] ?? startedAtMs,
        rooms: [...listOf(outstanding["farewells"]), ...(wasEnding ? roomsOwed(call) : roomsOf(call))],
      },
    },
  };
}

/** The trunk's legs, by what is owed to each. */
function trunksOf(call: Fields): readonly unknown[] {
  const owed = fieldsOf(call["owed"]);
  if (call["direction"] === "joined") {
    const [a, b] = [fieldsOf(call["left"]), fieldsOf(call["right"])];
    const owedToB = call["awaiting"] === "right" ? "cancel" : "nothing";
    return [
      legOf({ ...a, id: a["call"], owed: owed["left"] ?? "bye" }),
      legOf({ ...b, id: b["call"], owed: owed["right"] ?? (b["dialog"] === undefined ? owedToB : "bye") }),
    ];
  }
  if (call["trunk"] === undefined) return [];
  return [legOf({ ...call, owed: owed["trunk"] ?? owedInPhase(call) })];
}

function owedInPhase({ phase, acceptedAtMs }: Fields): string {
  switch (phase) {
    case "offering":
      return "nothing";
    case "inviting":
    case "early":
      return "cancel";
    case "arriving":
    case "alerting":
    case "accepting":
      return acceptedAtMs === undefined ? "final" : "bye";
    default:
      return "bye";
  }
}

function legOf({ id, trunk: side, owed, dialog, invite, incoming, answeredAtMs, acceptedAtMs }: Fields): unknown {
  const trunk: Fields = { abilities: { infoDtmf: false, refer: false }, ...fieldsOf(side), id };
  const sipCallId = fieldsOf(dialog ?? invite ?? incoming)["sipCallId"];
  const over = { ...trunk, state: "over", sipCallId };
  switch (owed) {
    case "bye":
    case "cancel":
      if (dialog !== undefined)
        return { ...trunk, state: "confirmed", dialog, answeredAtMs: answeredAtMs ?? acceptedAtMs ?? 0 };
      return invite === undefined ? over : { ...trunk, state: "inviting", invite };
    case "final":
      return incoming === undefined ? over : { ...trunk, state: "incoming", dialog, incoming };
    default:
      return over;
  }
}

/** What a call that was going on owes to its rooms. */
function roomsOf(call: Fields): readonly unknown[] {
  const farewell = (leg: unknown, by: string): unknown => ({ leg, by, state: "owed", cause: "restarted" });
  switch (call["phase"]) {
    case "alerting":
      return ringingIn(call).map((leg) => farewell(leg, "hangup"));
    case "offering":
    case "inviting":
    case "answering":
      return [farewell(call["leg"], "reject")];
    case "accepting":
      return [farewell(call["leg"], call["awaiting"] === "answer" ? "hangup" : "reject")];
    case "early":
    case "connected":
      return [farewell(call["leg"], farewellBy(call["answer"]))];
    default:
      return [];
  }
}

/** The first release had one person, and no list. */
function roomsOwed(call: Fields): readonly unknown[] {
  const { person, rooms } = fieldsOf(call["owed"]);
  if (rooms !== undefined || person === undefined || person === "nothing") return listOf(rooms);
  return [{ leg: call["leg"], by: farewellBy(call["answer"]), state: "owed", cause: call["cause"] }];
}

function firstRoomOf(call: Fields): unknown {
  return ringingIn(call)[0];
}

function ringingIn(call: Fields): readonly unknown[] {
  const { matrixCallId, ownParty } = call;
  return listOf(call["legs"])
    .map(fieldsOf)
    .filter(({ room, state }) => room !== undefined && (state === "inviting" || state === "ringing"))
    .map(({ room, ghost }) => ({ room, ghost: ghost ?? call["ghost"], matrixCallId, ownParty, version: "1" }));
}

function restartNotices(call: Fields, { failures, history }: Fields): readonly unknown[] {
  const { room, ghost } = fieldsOf(call["leg"]);
  if (room === undefined || call["direction"] === "joined" || (failures !== true && history !== true)) return [];
  return [{ kind: "matrix.notice", leg: { room, ghost }, text: "The call ended because the bridge restarted." }];
}

/** How far the answer had come decides what the client understands. */
function farewellBy(answer: unknown): "reject" | "hangup" | "either" {
  if (answer === "none") return "reject";
  return answer === "told" ? "hangup" : "either";
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
