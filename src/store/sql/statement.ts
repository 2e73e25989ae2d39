// Statements whose text is built once for each store: building it anew costs more than to run it.
import type { Compilable, CompiledQuery, Kysely, QueryResult } from "kysely";
import type { Tables } from "./schema.ts";

/** `build` sees a slot wherever a value will stand: it may put it into the query, and do nothing else with it. */
export interface Statement<Values, Row> {
  readonly build: (db: Kysely<Tables>, slots: Values) => Compilable<Row>;
}

export function statement<Values, Row>(build: Statement<Values, Row>["build"]): Statement<Values, Row> {
  return { build };
}

export type Run = <Values, Row>(statement: Statement<Values, Row>, values: Values) => Promise<QueryResult<Row>>;

/** Runs statements on one database; `on` says over which connection or in which transaction. */
export class Statements {
  readonly #compiled = new Map<unknown, CompiledQuery>();

  on(db: Kysely<Tables>): Run {
    return ({ build }, values) => {
      let compiled = this.#compiled.get(build);
      if (compiled === undefined) this.#compiled.set(build, (compiled = build(db, slots as typeof values).compile()));
      const parameters = compiled.parameters.map((parameter) =>
        parameter instanceof Slot ? (values as Record<string, unknown>)[parameter.name] : parameter,
      );
      return db.executeQuery({ ...compiled, parameters });
    };
  }
}

class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

const slots: unknown = new Proxy({}, { get: (_, name) => new Slot(String(name)) });
