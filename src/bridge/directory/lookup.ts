// Third-party lookups of the homeserver (MSC2845): what a dial pad asks, the way back from a ghost to its number, and,
// if enabled, whose number a ghost is. Answers at once and registers nothing: the result is passed on, so that ghosts
// are made in the background.
import { parseUserId, type UserId } from "../../core/ids.ts";
import type { DialTarget, GhostIds } from "../../core/number/ghost/ghost-id.ts";
import {
  isPstnProtocol,
  isVirtualUserProtocol,
  pstnProtocolNames,
  type VirtualUserProtocolName,
} from "../../core/number/ghost/protocols.ts";
import type { VirtualUsers } from "../../core/number/plan/virtual-users.ts";
import type { ApplicationServiceQueries, ThirdPartyProtocol, ThirdPartyUser } from "../../ports/homeserver.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

const phoneField = "m.id.phone";

const byNumber = description(phoneField, { regexp: "[+0-9*#(][0-9*#() ./-]*", placeholder: "+441632960123" });

/** What is asked with a user id: of a ghost who its person is, of a person which ghost is their number. */
const virtualFields: Readonly<Record<VirtualUserProtocolName, "virtual_mxid" | "native_mxid">> = {
  "im.vector.protocol.sip_native": "virtual_mxid",
  "im.vector.protocol.sip_virtual": "native_mxid",
};

function description(field: string, type: ThirdPartyProtocol["field_types"][string]): ThirdPartyProtocol {
  return {
    user_fields: [field],
    location_fields: [],
    icon: "",
    field_types: { [field]: type },
    instances: [{ network_id: "pstn", desc: "Telephone", fields: {} }],
  };
}

export type Lookup = Omit<ApplicationServiceQueries, "userExists" | "lookupDelay">;

export interface LookupParts {
  readonly ghostIds: GhostIds;
  /** Gives undefined where clients are not told whose numbers there are. */
  readonly virtualUsers: () => VirtualUsers | undefined;
  /** A ghost and what it stands for. Must neither throw nor wait. */
  readonly onFound: (ghost: { readonly user: UserId; readonly target: DialTarget }) => void;
  readonly telemetry: Pick<Telemetry, "lookedUp">;
}

export function createLookup({ ghostIds, virtualUsers, onFound, telemetry }: LookupParts): Lookup {
  /** Undefined: nobody. */
  function byPhone(protocol: string, text: string): ThirdPartyUser | undefined {
    const found = ghostIds.forDialled(text);
    if (found.kind !== "ghost") return undefined;
    onFound(found);
    return result(found.user, protocol, found.entered);
  }

  function byVirtualUser(
    protocol: VirtualUserProtocolName,
    text: string,
    known: VirtualUsers,
  ): ThirdPartyUser | undefined {
    if (protocol === "im.vector.protocol.sip_native") {
      const target = ghostIds.parse(text);
      const userid = target && known.nativeOf(target);
      // Clients read no more of the fields than that they are true (matrix-react-sdk up to 2024).
      return userid && { userid, protocol, fields: { virtual_mxid: text, is_virtual: true, lookup_success: true } };
    }
    const person = parseUserId(text);
    const target = person && known.virtualOf(person);
    const userid = target && ghostIds.format(target);
    if (target === undefined || userid === undefined) return undefined;
    onFound({ user: userid, target });
    return { userid, protocol, fields: { native_mxid: text, is_native: true, lookup_success: true } };
  }

  return {
    protocol(protocol) {
      if (isPstnProtocol(protocol)) return byNumber;
      if (!virtualUsers() || !isVirtualUserProtocol(protocol)) return undefined;
      return description(virtualFields[protocol], { regexp: "@[^:]+:.+", placeholder: "@alice:example.org" });
    },

    usersByField(protocol, fields) {
      // A field given twice comes as an array, one with brackets in its name as an object.
      const field = (name: string): string => {
        const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
        return typeof value === "string" ? value : "";
      };
      let found: ThirdPartyUser | undefined;
      const known = virtualUsers();
      if (isPstnProtocol(protocol)) {
        found = byPhone(protocol, field(phoneField));
      } else if (known && isVirtualUserProtocol(protocol)) {
        found = byVirtualUser(protocol, field(virtualFields[protocol]), known);
      } else {
        // Not under its own name, which anybody can make up.
        telemetry.lookedUp("other", "unknown-protocol");
        return undefined;
      }
      telemetry.lookedUp(protocol, found ? "found" : "none");
      return found ? [found] : [];
    },

    usersById(user) {
      const asked = parseUserId(user);
      const target = asked && ghostIds.parse(asked);
      // Who withheld their number is nobody to be found.
      if (asked === undefined || !target || target.kind === "withheld") return [];
      const entered = target.kind === "number" ? target.dialled : `${target.user}@${target.host}`;
      return [result(asked, pstnProtocolNames[0], entered)];
    },
  };
}

function result(userid: UserId, protocol: string, entered: string): ThirdPartyUser {
  return { userid, protocol, fields: { [phoneField]: entered } };
}
