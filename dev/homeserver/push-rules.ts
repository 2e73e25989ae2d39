// The push rules that a calling client looks for; `.m.rule.call` is why it rings
// (client-server API "Predefined rules").

const condition = (key: string, pattern: string) => ({ kind: "event_match", key, pattern });
const sound = (value: string) => ({ set_tweak: "sound", value });
const rule = (rule_id: string, conditions: object[], actions: unknown[], enabled = true) => ({
  rule_id,
  default: true,
  enabled,
  conditions,
  actions,
});

export const pushRules = {
  override: [
    rule(".m.rule.master", [], [], false),
    rule(".m.rule.suppress_notices", [condition("content.msgtype", "m.notice")], []),
  ],
  content: [],
  room: [],
  sender: [],
  underride: [
    rule(".m.rule.call", [condition("type", "m.call.invite")], ["notify", sound("ring")]),
    rule(".m.rule.message", [condition("type", "m.room.message")], ["notify"]),
  ],
};
