// The picture of a number that has none: a telephone on a disc of one colour, which tells numbers from people, and one number
// from another, in a list of rooms.
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import type { Picture } from "../ports/contacts.ts";

const size = 128;
/** Of each pixel so many by so many points are looked at, so that edges are smooth. */
const samples = 2;

/** `hue` in degrees. */
export function telephonePicture(hue: number): Picture {
  const [red, green, blue] = colourOf(hue);
  const rows = Buffer.alloc(size * (1 + size * 4));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const { disc, handset } = coverage(x, y);
      const at = y * (1 + size * 4) + 1 + x * 4;
      rows[at] = red + (255 - red) * handset;
      rows[at + 1] = green + (255 - green) * handset;
      rows[at + 2] = blue + (255 - blue) * handset;
      rows[at + 3] = 255 * disc;
    }
  }
  return { type: "image/png", bytes: png(rows) };
}

/** How much of a pixel the disc and the handset cover, 0 to 1. */
function coverage(x: number, y: number): { readonly disc: number; readonly handset: number } {
  let [disc, handset] = [0, 0];
  for (let sample = 0; sample < samples * samples; sample++) {
    const px = (x + ((sample % samples) + 0.5) / samples) / size - 0.5;
    const py = (y + (Math.floor(sample / samples) + 0.5) / samples) / size - 0.5;
    if (Math.hypot(px, py) <= 0.5) disc += 1;
    if (isHandset(px, py)) handset += 1;
  }
  return { disc: disc / samples ** 2, handset: handset / samples ** 2 };
}

/** A receiver lying at 45 degrees: an arc, and at each of its ends a cup. Coordinates from -0.5 to 0.5, y downwards. */
function isHandset(px: number, py: number): boolean {
  const turn = Math.SQRT1_2;
  const x = (px - py) * turn;
  const y = (px + py) * turn + 0.02;
  const arcRadius = 0.3;
  const centreY = -0.2;
  const fromArc = Math.abs(Math.hypot(x, y - centreY) - arcRadius);
  if (fromArc < 0.058 && y > 0.0 && Math.abs(x) < 0.24) return true;
  return [-0.235, 0.235].some((cup) => {
    const dx = Math.max(Math.abs(x - cup) - 0.042, 0);
    const dy = Math.max(Math.abs(y - -0.035) - 0.055, 0);
    return Math.hypot(dx, dy) < 0.038;
  });
}

/** Of equal strength for the eye, so that white stands out on all of them. */
function colourOf(hue: number): readonly [number, number, number] {
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    const [lightness, saturation] = [0.42, 0.55];
    const a = saturation * Math.min(lightness, 1 - lightness);
    return Math.round(255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Portable Network Graphics (ISO/IEC 15948): one image of RGBA, 8 bits each, no filter. */
function png(rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
