import type { TrunkPreset } from "./preset.ts";

/** By address, over FreeSWITCH's external profile. */
export const freeswitch: TrunkPreset = {
  id: "freeswitch",
  title: "FreeSWITCH",
  sources: [
    {
      url: "https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Configuration/Sofia-SIP-Stack/Sofia-Gateway-Authentication-Params_7143510",
      checked: "2026-11-30",
    },
  ],
  asks: {
    server: { question: "Where is FreeSWITCH? Its address, with the port of the external profile (usually :5080)." },
    address: { question: "Which address of this machine does FreeSWITCH reach?" },
    port: { default: "5062" },
  },
  trunk: {
    server: "%{server}",
    listen: { host: "%{address}", port: "%{port}" },
    identity: { from_user: "{number}", from_display_name: "{displayname}" },
  },
  callerNumbers: "e164",
  paste: [
    {
      where: "In sip_profiles/external/%{name}.xml:",
      lines: [
        "<include>",
        '  <gateway name="%{name}">',
        '    <param name="proxy" value="%{address}:%{port}"/>',
        '    <param name="register" value="false"/>',
        '    <param name="caller-id-in-from" value="true"/>',
        '    <param name="ping" value="30"/>',
        "  </gateway>",
        "</include>",
      ],
    },
    {
      where: "In autoload_configs/acl.conf.xml, inside <network-lists>:",
      lines: ['<list name="%{name}" default="deny">', '  <node type="allow" cidr="%{address}/32"/>', "</list>"],
    },
    {
      where: "In sip_profiles/external.xml:",
      lines: [
        '<param name="apply-inbound-acl" value="%{name}"/>',
        '<param name="inbound-codec-prefs" value="PCMA,PCMU,G722"/>',
        '<param name="outbound-codec-prefs" value="PCMA,PCMU,G722"/>',
      ],
    },
    {
      where: "In the dial plan that your telephones use:",
      lines: [
        '<extension name="%{name} %{called}"><condition field="destination_number" expression="^\\%{called}$"><action application="set" data="sip_cid_type=pid"/><action application="bridge" data="sofia/gateway/%{name}/%{called}"/></condition></extension>',
      ],
    },
  ],
};
