// A link to a room (Matrix spec, appendices, matrix.to navigation).
import type { RoomId } from "../../core/ids.ts";

export function roomLink(room: RoomId): string {
  return `https://matrix.to/#/${encodeURIComponent(room)}`;
}
