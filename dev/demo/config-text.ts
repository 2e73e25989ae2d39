// The bridge's configuration in the demo: a file as an admin writes it, for a gateway and a homeserver on this machine.

export interface DemoPlaces {
  readonly homeserverPort: number;
  readonly bridgePort: number;
  /** Of the gateway. */
  readonly sipPort: number;
  /** Where the gateway reaches the bridge. */
  readonly trunkPort: number;
  readonly transport: "udp" | "tcp";
  readonly databasePath: string;
  /** The only address for ICE; undefined: all that the machine has. */
  readonly iceHost: string | undefined;
}

const DOMAIN = "localhost";

/** Who has a telephone number in the demo. */
export const PERSON = {
  localpart: "alice",
  password: "wonderland",
  displayname: "Alice",
  number: "+442079460000",
} as const;

export const demoConfig = (places: DemoPlaces): string => `homeserver:
  url: http://127.0.0.1:${places.homeserverPort}
  domain: ${DOMAIN}
appservice:
  listen:
    port: ${places.bridgePort}
ghosts:
  gateway: sip.example.org
database:
  path: ${JSON.stringify(places.databasePath)}
dial_plan:
  country: GB
trunks:
  - name: gateway
    server: 127.0.0.1:${places.sipPort}
    transport: ${places.transport}
    listen:
      host: 127.0.0.1
      port: ${places.trunkPort}
    identity:
      from_display_name: "{displayname}"
      asserted: ["sip:{number}@sip.example.org"]
      default_number: "${PERSON.number}"
    inbound:
      caller_name: true
    media:
      codecs: [PCMA, PCMU]
inbound:
  numbers:
    - number: "${PERSON.number}"
      user: "@${PERSON.localpart}:${DOMAIN}"
permissions:
  ${DOMAIN}: call
media:
  workers: 1
  rtp:
    host: 127.0.0.1
${places.iceHost === undefined ? "" : `  ice:\n    host: ${places.iceHost}\n`}logging:
  level: warn
  mask_numbers: false
http:
  listen:
    port: 0
`;
