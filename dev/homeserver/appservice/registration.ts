// An application service as its registration file describes it, and the questions the
// homeserver asks of it: is this user yours, may this stranger take that name?
import { z } from "zod";

const namespace = z.object({ exclusive: z.boolean(), regex: z.string() });

const registrationSchema = z.looseObject({
  id: z.string().min(1),
  url: z.string().nullable().default(null),
  as_token: z.string().min(1),
  hs_token: z.string().min(1),
  sender_localpart: z.string().min(1),
  namespaces: z
    .object({
      users: z.array(namespace).optional(),
      aliases: z.array(namespace).optional(),
      rooms: z.array(namespace).optional(),
    })
    .default({}),
  protocols: z.array(z.string()).nullish(),
  rate_limited: z.boolean().optional(),
  receive_ephemeral: z.boolean().optional(),
});

/** The parsed YAML of a registration file (application-service API, "Registration"). */
export type Registration = z.input<typeof registrationSchema>;

export type Appservice = {
  readonly id: string;
  /** Without a trailing slash; null where nothing is ever pushed. */
  readonly url: string | null;
  readonly asToken: string;
  readonly hsToken: string;
  readonly senderId: string;
  readonly protocols: readonly string[];
  readonly receivesEphemeral: boolean;
  /** True for its sender and for every local user its namespaces name. */
  ownsUser(userId: string): boolean;
  ownsUserExclusively(userId: string): boolean;
  ownsRoom(roomId: string): boolean;
};

/** Throws a ZodError that names the wrong key. */
export function parseRegistration(registration: unknown, domain: string): Appservice {
  const parsed = registrationSchema.parse(registration);
  const users = (parsed.namespaces.users ?? []).map(compile);
  const rooms = (parsed.namespaces.rooms ?? []).map(compile);
  const senderId = `@${parsed.sender_localpart}:${domain}`;
  const isLocal = (userId: string) => userId.endsWith(`:${domain}`);
  return {
    id: parsed.id,
    url: parsed.url === null || parsed.url === "" ? null : parsed.url.replace(/\/+$/, ""),
    asToken: parsed.as_token,
    hsToken: parsed.hs_token,
    senderId,
    protocols: parsed.protocols ?? [],
    receivesEphemeral: parsed.receive_ephemeral ?? false,
    ownsUser: (userId) => userId === senderId || (isLocal(userId) && users.some(({ regex }) => regex.test(userId))),
    ownsUserExclusively: (userId) =>
      userId === senderId || users.some(({ exclusive, regex }) => exclusive && isLocal(userId) && regex.test(userId)),
    ownsRoom: (roomId) => rooms.some(({ regex }) => regex.test(roomId)),
  };
}

// Synapse matches with Python's re.match: anchored at the start, open at the end.
function compile({ exclusive, regex }: { exclusive: boolean; regex: string }) {
  return { exclusive, regex: new RegExp(`^(?:${regex})`) };
}
