// The third-party routes as the library wants them told (application service API, "Third-party networks").
// It serves them under `v1` and `unstable`; what they answer is the bridge's.
import type { BridgeController } from "matrix-appservice-bridge";
import type { ApplicationServiceQueries } from "../ports/homeserver.ts";

type Routes = NonNullable<BridgeController["thirdPartyLookup"]>;

/** The library turns a thrown `{code, err}` into that status. */
const unknownProtocol = { code: 404, err: "Unknown protocol" };

export function thirdPartyRoutes(queries: ApplicationServiceQueries): Routes {
  return {
    // Empty: the library lets every protocol through to the functions, which know better and count.
    protocols: [],
    async getProtocol(name) {
      const protocol = queries.protocol(name);
      if (protocol === undefined) throw unknownProtocol;
      return {
        user_fields: [...protocol.user_fields],
        location_fields: [...protocol.location_fields],
        icon: protocol.icon,
        field_types: { ...protocol.field_types },
        instances: [...protocol.instances],
      };
    },
    async getUser(name, fields) {
      const users = queries.usersByField(name, fields);
      if (users === undefined) throw unknownProtocol;
      return [...users];
    },
    // Declared by the library as giving locations; its route sends whatever comes.
    parseUser: (user) => [...queries.usersById(user)] as never,
    // Telephones have no rooms of their own to be found.
    async getLocation(name) {
      if (queries.protocol(name) === undefined) throw unknownProtocol;
      return [];
    },
    parseLocation: () => [],
  };
}
