// Third-party networks: what clients ask, put to the application services that list the
// protocol. Protocol descriptions are kept for an hour, failures too; lookups are not.
import type { AppserviceConnection } from "./appservice-connection.ts";
import type { JsonObject } from "../http/json.ts";
import { isJsonObject } from "../http/json.ts";
import { encodeForm, quotePath } from "./quoting.ts";

const cacheMs = 60 * 60 * 1000;

/** A lookup as a client asked it, and what it found. */
export type Lookup = {
  readonly kind: "user" | "location";
  readonly protocol: string;
  readonly query: URLSearchParams;
  readonly results: readonly JsonObject[];
};

type CacheEntry = { readonly expires: number; readonly answer: Promise<JsonObject | undefined> };

export class ThirdPartyNetworks {
  readonly #connections: readonly AppserviceConnection[];
  readonly #now: () => number;
  readonly #cache = new Map<string, CacheEntry>();
  readonly #listeners = new Set<(lookup: Lookup) => void>();

  constructor(connections: readonly AppserviceConnection[], now: () => number) {
    this.#connections = connections;
    this.#now = now;
  }

  /** The protocols that answered, by name. */
  async protocols(): Promise<Record<string, JsonObject>> {
    const names = [...new Set(this.#connections.flatMap(({ appservice }) => appservice.protocols))];
    const protocols = await Promise.all(names.map((name) => this.protocol(name)));
    return Object.fromEntries(
      names.flatMap((name, index) => {
        const protocol = protocols[index];
        return protocol ? [[name, protocol]] : [];
      }),
    );
  }

  /** What all services that speak the protocol say of it; undefined where none answered. */
  async protocol(name: string): Promise<JsonObject | undefined> {
    const found: JsonObject[] = [];
    for (const connection of this.#speaking(name)) {
      const protocol = await this.#cached(connection, name);
      if (protocol) found.push(protocol);
    }
    const [first] = found;
    return first && { ...first, instances: found.flatMap((protocol) => protocol["instances"]) };
  }

  /** All results of all services. A failing one, or one that answers nonsense, has none. */
  async lookUp(kind: "user" | "location", protocol: string, query: URLSearchParams): Promise<JsonObject[]> {
    const fields = encodeForm([...query].filter(([name]) => name !== "access_token"));
    const path = `/thirdparty/${kind}/${quotePath(protocol)}${fields && `?${fields}`}`;
    const answers = await Promise.all(this.#speaking(protocol).map((connection) => connection.send("GET", path)));
    const idField = kind === "user" ? "userid" : "alias";
    const results = answers.flatMap((answer) => {
      if (answer.outcome !== "accepted" || !Array.isArray(answer.body)) return [];
      return answer.body.filter((item) => isResult(item, idField));
    });
    for (const listener of this.#listeners) listener({ kind, protocol, query, results });
    return results;
  }

  /** Calls back after every lookup. Returns how to stop it. */
  onLookup(listener: (lookup: Lookup) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #cached(connection: AppserviceConnection, protocol: string): Promise<JsonObject | undefined> {
    const key = JSON.stringify([connection.appservice.id, protocol]);
    const entry = this.#cache.get(key);
    if (entry && entry.expires > this.#now()) return entry.answer;
    const answer = describe(connection, protocol);
    this.#cache.set(key, { expires: this.#now() + cacheMs, answer });
    return answer;
  }

  #speaking(protocol: string): AppserviceConnection[] {
    return this.#connections.filter(
      ({ appservice }) => appservice.url !== null && appservice.protocols.includes(protocol),
    );
  }
}

async function describe(connection: AppserviceConnection, protocol: string): Promise<JsonObject | undefined> {
  const answer = await connection.send("GET", `/thirdparty/protocol/${quotePath(protocol)}`);
  if (answer.outcome !== "accepted" || !isJsonObject(answer.body)) return undefined;
  const { instances } = answer.body;
  if (!Array.isArray(instances)) return undefined;
  return {
    ...answer.body,
    instances: instances.filter(isJsonObject).map((one) => named(one, connection.appservice.id)),
  };
}

function named(instance: JsonObject, appserviceId: string): JsonObject {
  const network = instance["network_id"];
  if (typeof network !== "string") return instance;
  return { ...instance, instance_id: `${appserviceId}|${network}` };
}

function isResult(item: unknown, idField: string): item is JsonObject {
  return (
    isJsonObject(item) &&
    typeof item[idField] === "string" &&
    typeof item["protocol"] === "string" &&
    isJsonObject(item["fields"])
  );
}
