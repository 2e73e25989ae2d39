// What the pages about trunks say beyond what the presets hold: for whom it is, what to have at hand, what goes wrong.
export interface TrunkNotes {
  /** How the two find each other, in a sentence or two. */
  readonly how: string;
  /** To have at hand before `init` asks. */
  readonly needs: readonly string[];
  /** What is seen, and what mends it. */
  readonly problems: readonly (readonly [symptom: string, mend: string])[];
  /** Where there is more. */
  readonly more?: string;
}

const refused = [
  "`matrix-appservice-sip trunks` says that the registration is refused (401, 403)",
  "The user name or the password is not what the other end has. The password is in the file that `password_file` names, without anything around it. Change it there and restart the bridge.",
] as const;

const silentPeer = [
  "`trunks` says `down`, and nothing answers",
  "Check that both machines reach each other: the address, the port, and UDP in both firewalls. [Firewall and NAT](../deploy/firewall.md) has the ports.",
] as const;

const unknownNumber = [
  "Incoming calls end with 404",
  "The called number has no entry in `inbound.numbers`, or the trunk writes it in another way. `matrix-appservice-sip number explain NUMBER --from-trunk NAME -c config.yaml` shows how the bridge reads it.",
] as const;

const oneWay = [
  "The call connects, and one side hears nothing",
  "RTP does not get through. See [the call connects, but there is no audio](../deploy/firewall.md#no-audio).",
] as const;

const register = [refused, silentPeer, unknownNumber, oneWay];
const address = [silentPeer, unknownNumber, oneWay];

export const trunkNotes: Readonly<Record<string, TrunkNotes>> = {
  asterisk: {
    how: "The bridge registers at Asterisk with a password, like a telephone. Asterisk needs no address of the bridge, and you need no forwarded port.",
    needs: [
      "The address of Asterisk, which uses `pjsip.conf`.",
      "The right to edit `pjsip.conf` and `extensions.conf`.",
    ],
    problems: [
      refused,
      [
        "Calls to people fail for half a minute after the bridge was restarted",
        "Asterisk has not noticed yet that the bridge is back: `qualify_frequency=30` is how often it asks.",
      ],
      [
        "Asterisk logs `No matching endpoint found`",
        "Do not set `identity.from_user`. Asterisk finds the endpoint by the user part of From, which has to be the account.",
      ],
      unknownNumber,
      oneWay,
    ],
    more: "[Asterisk, four ways](asterisk-examples.md) has it by address, over TLS with SRTP and over WebSocket too, explains each line, and lists what was tried.",
  },
  freeswitch: {
    how: "Each side knows the other by its address. Calls go over FreeSWITCH's external profile.",
    needs: [
      "The address of FreeSWITCH and the port of its external profile, usually 5080.",
      "The right to edit its XML files.",
    ],
    problems: [
      [
        "FreeSWITCH answers 407 or 403 to calls from people",
        "The access list does not apply: `apply-inbound-acl` of the profile has to name the list with the bridge's address. Then `reloadacl` and restart the profile.",
      ],
      ...address,
    ],
    more: "[FreeSWITCH in more detail](other-systems.md#freeswitch) has transfers, timeouts and SRTP.",
  },
  freepbx: {
    how: "Each side knows the other by its address: FreePBX calls that a trunk without registration and authentication.",
    needs: [
      "The address of FreePBX and the port of its PJSIP driver, usually 5060.",
      "A login to FreePBX as administrator.",
    ],
    problems: [
      [
        "Calls from people end at once, and Asterisk logs `No matching endpoint found`",
        "The trunk's Match (Permit) does not have the address that the bridge sends from: `trunks[].listen.host`.",
      ],
      ...address,
    ],
    more: "FreePBX is Asterisk underneath: [Asterisk, four ways](asterisk-examples.md) explains what the settings do.",
  },
  fritzbox: {
    how: "The bridge is one of the Fritz!Box's telephones: it registers with a user name and a password that you make up there.",
    needs: [
      "A login to the Fritz!Box.",
      "The bridge in the Fritz!Box's own network, or connected to it by VPN.",
      "A number of the box that nobody else minds: it is the one that people call with.",
    ],
    problems: [
      [
        "Everybody who calls out shows the same number",
        "That number is the box's to choose, in the settings of the telephone that you made there. The bridge cannot change it for each person.",
      ],
      [
        "All incoming calls ring the same people",
        "Give each number its own entry in `inbound.numbers`. The bridge reads the called number from `P-Called-Party-ID`. If your box does not send that header, make one telephone in the box for each number, and a trunk for each.",
      ],
      ...register,
    ],
  },
  twilio: {
    how: "Calls go out with a user name and a password. They come in from Twilio's networks, so the bridge needs a public address.",
    needs: [
      "An Elastic SIP Trunk with a termination URI (`NAME.pstn.twilio.com`) and a credential list.",
      "A public address of the bridge, and the right to open ports there.",
      "A number that you have at Twilio.",
    ],
    problems: [
      [
        "Outgoing calls end with 403",
        "The number that the call shows is not one of your Twilio account, or the country is not permitted there (Voice, Settings, Geo Permissions).",
      ],
      [
        "Incoming calls never arrive, and the log counts requests from unknown addresses",
        "Twilio sends from networks that `trunks[].peers` does not have. Compare that list with [Twilio's](https://www.twilio.com/docs/sip-trunking/ip-addresses).",
      ],
      ...address,
    ],
  },
  telnyx: {
    how: "The bridge registers with the user name and the password of a connection. You need no forwarded port.",
    needs: [
      "A SIP connection of the type Credentials, with its user name and password.",
      "A number that is assigned to that connection.",
    ],
    problems: [
      [
        "Outgoing calls end with 403",
        "The connection is in no outbound voice profile, the profile does not allow the country, or its spend limit is reached.",
      ],
      ...register,
    ],
  },
  sipgate: {
    how: "The bridge registers with the SIP-ID and the SIP password of a trunk. You need no forwarded port.",
    needs: [
      "The SIP-ID (such as `1234567t0`) and the SIP password of the trunk.",
      "A number that is routed to the trunk.",
    ],
    problems: [
      [
        "People who are called see the wrong number",
        "The bridge says it in `P-Preferred-Identity`, without plus. It has to be one of the trunk's numbers. Otherwise sipgate shows the number that is set there.",
      ],
      ...register,
    ],
  },
  voipms: {
    how: "The bridge registers with a sub account. You need no forwarded port.",
    needs: [
      "A sub account, with its name (such as `123456_matrix`) and its password.",
      "The server that your number is on (such as `atlanta.voip.ms`).",
    ],
    problems: [
      [
        "Everybody who calls out shows the same number",
        "VoIP.ms takes it from the sub account (CallerID number), not from the call.",
      ],
      [
        "Calls to other countries fail",
        "The account does not permit the country: in the portal, Account Settings, international calls.",
      ],
      ...register,
    ],
  },
  register: {
    how: "For whatever gives you a user name and a password: the bridge registers, and both directions use that account. You need no fixed address and no forwarded port.",
    needs: ["The name of the server, the user name and the password."],
    problems: [
      [
        "Outgoing calls end with 403",
        'Many providers want the account in From, which is the default, and the number elsewhere: `identity.asserted` or `identity.preferred`. If yours wants the number in From, set `identity.from_user: "{number}"`.',
      ],
      [
        "Outgoing calls end with 404 or 484",
        "The provider wants numbers in another form: try `number_format: e164-without-plus` or `national`.",
      ],
      ...register,
    ],
    more: "[A larger example](index.md#a-larger-example-a-provider-account-that-registers) has TLS, several people, and who rings after whom.",
  },
  address: {
    how: "For whatever knows you by your address: nobody registers, and each side sends calls to the other's port.",
    needs: [
      "The address and the port of the other side.",
      "An address of this machine that the other side reaches, and a port that nothing else uses.",
      "Behind NAT: the public address, and forwarded ports.",
    ],
    problems: [
      [
        "The log counts requests from unknown addresses",
        "Calls come from addresses that `server` does not name. List their networks in `trunks[].peers`.",
      ],
      ...address,
    ],
    more: "[A larger example](index.md#a-larger-example-a-trunk-by-ip-address) has two servers and a network of them.",
  },
};
