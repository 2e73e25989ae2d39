// What a homeserver needs of the bridge, and of its admin. The pages in docs/homeservers say how it is known.

/** How a homeserver is given a registration. */
type Handing =
  | {
      readonly kind: "file";
      /** The user it runs as, and the folder of its configuration, as Debian's packages have them. */
      readonly user: string;
      readonly folder: string;
      readonly configuration: string;
      /** With `%{path}` for the registration. */
      readonly lines: readonly string[];
      readonly restart: string;
    }
  | { readonly kind: "command"; readonly where: string; readonly command: string };

export interface HomeserverPreset {
  readonly id: string;
  readonly title: string;
  /** What it calls itself in `/_matrix/federation/v1/version`, in small letters. */
  readonly names: readonly string[];
  /** undefined: the default of `ghosts.encoding` works. */
  readonly encoding?: "grammar";
  readonly hasDialPad: boolean;
  readonly handing: Handing;
  /** Limits that people who call meet, as its configuration raises them. */
  readonly limits?: { readonly configuration: string; readonly lines: readonly string[] };
}

const synapse: HomeserverPreset = {
  id: "synapse",
  title: "Synapse",
  names: ["synapse"],
  hasDialPad: true,
  handing: {
    kind: "file",
    user: "matrix-synapse",
    folder: "/etc/matrix-synapse",
    configuration: "homeserver.yaml",
    lines: ['app_service_config_files: ["%{path}"]'],
    restart: "systemctl restart matrix-synapse",
  },
  limits: {
    configuration: "homeserver.yaml",
    lines: [
      "rc_message: { per_second: 2, burst_count: 50 }",
      "rc_room_creation: { per_second: 0.2, burst_count: 30 }",
      "rc_invites:",
      "  per_user: { per_second: 0.1, burst_count: 30 }",
      "  per_issuer: { per_second: 1, burst_count: 30 }",
    ],
  },
};

const dendrite: HomeserverPreset = {
  id: "dendrite",
  title: "Dendrite",
  names: ["dendrite"],
  encoding: "grammar",
  hasDialPad: true,
  handing: {
    kind: "file",
    user: "dendrite",
    folder: "/etc/dendrite",
    configuration: "dendrite.yaml",
    lines: ["app_service_api:", '  config_files: ["%{path}"]'],
    restart: "systemctl restart dendrite",
  },
  limits: {
    configuration: "dendrite.yaml",
    lines: ["client_api:", "  rate_limiting: { enabled: true, threshold: 50, cooloff_ms: 500 }"],
  },
};

const conduit: HomeserverPreset = {
  id: "conduit",
  title: "Conduit",
  names: ["conduit"],
  encoding: "grammar",
  hasDialPad: false,
  handing: { kind: "command", where: "to @conduit in the admin room", command: "register-appservice" },
};

const continuwuity: HomeserverPreset = {
  id: "continuwuity",
  title: "continuwuity",
  names: ["continuwuity", "conduwuit"],
  encoding: "grammar",
  hasDialPad: false,
  handing: { kind: "command", where: "in the admin room", command: "!admin appservices register" },
};

const tuwunel: HomeserverPreset = {
  id: "tuwunel",
  title: "tuwunel",
  names: ["tuwunel"],
  encoding: "grammar",
  hasDialPad: true,
  handing: { kind: "command", where: "in the admin room", command: "!admin appservices register" },
};

export const homeserverPresets: readonly HomeserverPreset[] = [synapse, dendrite, conduit, continuwuity, tuwunel];
