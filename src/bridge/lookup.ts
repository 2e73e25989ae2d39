// Third-party lookups of the homeserver (MSC2845): what a dial pad asks, and the way back from a ghost to its number.
// Answers at once and registers nothing: who is found is handed on, so that ghosts can be made in the background.
import type { UserId } from "../core/ids.ts";
import type { DialTarget, GhostIds } from "../core/number/ghost-id.ts";
import { isPstnProtocol, pstnProtocolNames } from "../core/number/protocols.ts";
import type { ApplicationServiceQueries, ThirdPartyProtocol, ThirdPartyUser } from "../ports/homeserver.ts";
import type { Telemetry } from "../ports/telemetry.ts";

const phoneField = "m.id.phone";

const description: ThirdPartyProtocol = {
  user_fields: [phoneField],
  location_fields: [],
  icon: "",
  field_types: { [phoneField]: { regexp: "[+0-9*#(][0-9*#() ./-]*", placeholder: "+441632960123" } },
  instances: [{ network_id: "pstn", desc: "Telephone", fields: {} }],
};

export type Lookup = Omit<ApplicationServiceQueries, "userExists">;

export interface LookupParts {
  readonly ghostIds: GhostIds;
  /** Must neither throw nor wait. */
  readonly onFound: (user: UserId, target: DialTarget) => void;
  readonly telemetry: Pick<Telemetry, "lookedUp">;
}

export function createLookup({ ghostIds, onFound, telemetry }: LookupParts): Lookup {
  return {
    protocol: (protocol) => (isPstnProtocol(protocol) ? description : undefined),

    usersByField(protocol, fields) {
      if (!isPstnProtocol(protocol)) {
        // Not under its own name, which anybody can make up.
        telemetry.lookedUp("other", "unknown-protocol");
        return undefined;
      }
      // A field given twice comes as an array, one with brackets in its name as an object.
      const text = Object.hasOwn(fields, phoneField) ? fields[phoneField] : undefined;
      const found = typeof text === "string" ? ghostIds.forDialled(text) : undefined;
      if (found?.kind !== "ghost") {
        telemetry.lookedUp(protocol, "none");
        return [];
      }
      telemetry.lookedUp(protocol, "found");
      onFound(found.user, found.target);
      return [result(found.user, protocol, found.entered)];
    },

    usersById(user) {
      const target = ghostIds.parse(user);
      // Who withheld their number is nobody to be found.
      if (!target || target.kind === "withheld") return [];
      const entered = target.kind === "number" ? target.dialled : `${target.user}@${target.host}`;
      return [result(user as UserId, pstnProtocolNames[0], entered)];
    },
  };
}

function result(userid: UserId, protocol: string, entered: string): ThirdPartyUser {
  return { userid, protocol, fields: { [phoneField]: entered } };
}
