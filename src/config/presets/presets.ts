// Every preset of a trunk, in the order in which they are offered.
import { asterisk } from "./asterisk.ts";
import { freepbx } from "./freepbx.ts";
import { freeswitch } from "./freeswitch.ts";
import { fritzbox } from "./fritzbox.ts";
import { byAddress, registering } from "./generic.ts";
import type { TrunkPreset } from "./preset.ts";
import { sipgate } from "./sipgate.ts";
import { telnyx } from "./telnyx.ts";
import { twilio } from "./twilio.ts";
import { voipms } from "./voipms.ts";

export const trunkPresets: readonly TrunkPreset[] = [
  asterisk,
  freeswitch,
  freepbx,
  fritzbox,
  twilio,
  telnyx,
  sipgate,
  voipms,
  registering,
  byAddress,
];
