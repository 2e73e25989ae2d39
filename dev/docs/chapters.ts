// The pages of docs/ in the order in which the site lists them. A page that is not there is left out.
interface Chapter {
  readonly title: string;
  /** From docs/. */
  readonly pages: readonly string[];
  /** Folded until somebody opens it. */
  readonly isFolded?: true;
}

export const chapters: readonly Chapter[] = [
  { title: "Begin", pages: ["quick-start.md", "init.md", "doctor.md", "troubleshooting.md"] },
  {
    title: "Trunks",
    isFolded: true,
    pages: [
      "trunks/index.md",
      "trunks/asterisk.md",
      "trunks/asterisk-examples.md",
      "trunks/freeswitch.md",
      "trunks/freepbx.md",
      "trunks/fritzbox.md",
      "trunks/twilio.md",
      "trunks/telnyx.md",
      "trunks/sipgate.md",
      "trunks/voipms.md",
      "trunks/register.md",
      "trunks/address.md",
      "trunks/other-systems.md",
      "trunks/sip.md",
    ],
  },
  {
    title: "Homeservers",
    isFolded: true,
    pages: [
      "homeservers/index.md",
      "homeservers/synapse.md",
      "homeservers/dendrite.md",
      "homeservers/conduit.md",
      "homeservers/continuwuity.md",
      "homeservers/tuwunel.md",
    ],
  },
  {
    title: "People",
    pages: [
      "people/numbers-and-permissions.md",
      "people/what-they-see.md",
      "people/first-calls.md",
      "orders.md",
      "matrix-rtc.md",
      "encryption.md",
    ],
  },
  {
    title: "Run it",
    pages: [
      "deploy/firewall.md",
      "deploy/container.md",
      "deploy/compose.md",
      "deploy/kubernetes.md",
      "operation.md",
      "admin.md",
      "ladders.md",
      "console.md",
      "spending.md",
      "security.md",
      "deploy/backup-and-upgrade.md",
    ],
  },
  { title: "Look up", pages: ["configuration.md", "architecture.md", "benchmarks.md"] },
];
