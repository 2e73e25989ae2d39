// The predefined push rules (client-server API "Predefined rules"). `.m.rule.call` is why
// a client rings; the others are there because clients miss them aloud.

type Tweak = { readonly set_tweak: string; readonly value?: unknown };
type Action = "notify" | Tweak;

const matches = (key: string, pattern: string) => ({ kind: "event_match", key, pattern });
const is = (key: string, value: unknown) => ({ kind: "event_property_is", key, value });
const mentions = (value: string) => ({ kind: "event_property_contains", key: "content.m\\.mentions.user_ids", value });
const twoMembers = { kind: "room_member_count", is: "2" };
const roomPermission = { kind: "sender_notification_permission", key: "room" };

const sound = (value: string): Tweak => ({ set_tweak: "sound", value });
const highlight: Tweak = { set_tweak: "highlight" };

const rule = (rule_id: string, conditions: readonly object[], actions: readonly Action[], enabled = true) => ({
  rule_id,
  default: true,
  enabled,
  conditions,
  actions,
});

export function pushRulesOf(userId: string) {
  return {
    override: [
      rule(".m.rule.master", [], [], false),
      rule(".m.rule.suppress_notices", [matches("content.msgtype", "m.notice")], []),
      rule(
        ".m.rule.invite_for_me",
        [matches("type", "m.room.member"), matches("content.membership", "invite"), matches("state_key", userId)],
        ["notify", sound("default")],
      ),
      rule(".m.rule.member_event", [matches("type", "m.room.member")], []),
      rule(".m.rule.is_user_mention", [mentions(userId)], ["notify", sound("default"), highlight]),
      rule(
        ".m.rule.contains_display_name",
        [{ kind: "contains_display_name" }],
        ["notify", sound("default"), highlight],
      ),
      rule(".m.rule.is_room_mention", [is("content.m\\.mentions.room", true), roomPermission], ["notify", highlight]),
      rule(".m.rule.roomnotif", [matches("content.body", "@room"), roomPermission], ["notify", highlight]),
      rule(".m.rule.tombstone", [matches("type", "m.room.tombstone"), matches("state_key", "")], ["notify", highlight]),
      rule(".m.rule.reaction", [matches("type", "m.reaction")], []),
      rule(".m.rule.room.server_acl", [matches("type", "m.room.server_acl"), matches("state_key", "")], []),
      rule(".m.rule.suppress_edits", [is("content.m\\.relates_to.rel_type", "m.replace")], []),
    ],
    content: [],
    room: [],
    sender: [],
    underride: [
      rule(".m.rule.call", [matches("type", "m.call.invite")], ["notify", sound("ring")]),
      rule(
        ".m.rule.encrypted_room_one_to_one",
        [twoMembers, matches("type", "m.room.encrypted")],
        ["notify", sound("default")],
      ),
      rule(".m.rule.room_one_to_one", [twoMembers, matches("type", "m.room.message")], ["notify", sound("default")]),
      rule(".m.rule.message", [matches("type", "m.room.message")], ["notify"]),
      rule(".m.rule.encrypted", [matches("type", "m.room.encrypted")], ["notify"]),
    ],
  };
}
