// Open calls as earlier releases stored them, converted to today's form. The first release knew only outbound calls;
// later ones knew one ghost for all rooms of a call. Nobody is in these calls any more: they are read only so that the
// restart can end them.
type Fields = Readonly<Record<string, unknown>>;

/** A call of today's form is given back as it is. */
export function inTodaysForm(call: Fields): Fields {
  if (call["phase"] === "alerting") return withGhosts(call);
  if ("outstanding" in call || call["direction"] !== "outbound") return call;
  const common = {
    ...call,
    notices: { failures: call["notices"] === true, history: false },
    outstanding: { releases: 0, farewells: [] },
  };
  if (call["phase"] !== "ending") return common;
  const leg = fieldsOf(call["leg"]);
  const { person, ...owed } = fieldsOf(call["owed"]);
  const farewell = { leg, by: farewellBy(call["answer"]), state: "owed", cause: call["cause"] };
  return {
    ...common,
    address: leg,
    person: leg["person"],
    owed: { ...owed, rooms: person === "nothing" ? [] : [farewell] },
  };
}

function withGhosts(call: Fields): Fields {
  const legs: readonly unknown[] = Array.isArray(call["legs"]) ? call["legs"] : [];
  const withGhost = (leg: unknown): Fields => ({ ghost: call["ghost"], ...fieldsOf(leg) });
  return { ...call, legs: legs.map(withGhost) };
}

/** How far the answer had come decides what the client understands. */
function farewellBy(answer: unknown): "reject" | "hangup" | "either" {
  if (answer === "none") return "reject";
  return answer === "told" ? "hangup" : "either";
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
