// Payload formats of an audio section (RFC 8866 s6.6, RFC 3551 s6) and which of them are the same codec.

export interface Format {
  readonly payloadType: number;
  /** As the registry spells it where we know it: `PCMU`, `PCMA`, `G722`, `opus`, `telephone-event`. */
  readonly name: string;
  /** Of the RTP timestamp, in Hz. */
  readonly clockRate: number;
  readonly channels: number;
  /** Value of `a=fmtp`, empty if there is none. */
  readonly parameters: string;
}

export const telephoneEventName = "telephone-event";
export const opusName = "opus";

interface KnownCodec {
  readonly name: string;
  /** It carries more of a voice than telephones did, up to 7 kHz or beyond. */
  readonly isWideband: boolean;
  /** The static number, or the one we choose in our own offers. */
  readonly payloadType: number;
  readonly clockRate: number;
  readonly channels: number;
}

/** What can be carried through. G.722 says 8000 although it samples at 16 kHz (RFC 3551 s4.5.2). */
const knownCodecs: readonly KnownCodec[] = [
  { name: "PCMU", isWideband: false, payloadType: 0, clockRate: 8000, channels: 1 },
  { name: "PCMA", isWideband: false, payloadType: 8, clockRate: 8000, channels: 1 },
  { name: "G722", isWideband: true, payloadType: 9, clockRate: 8000, channels: 1 },
  { name: opusName, isWideband: true, payloadType: 111, clockRate: 48_000, channels: 2 },
];

/** Static numbers that may stand without `a=rtpmap` (RFC 3551 s6); the audio ones we would ever meet. */
const staticFormats: ReadonlyMap<number, Omit<KnownCodec, "payloadType" | "isWideband">> = new Map([
  [0, { name: "PCMU", clockRate: 8000, channels: 1 }],
  [3, { name: "GSM", clockRate: 8000, channels: 1 }],
  [4, { name: "G723", clockRate: 8000, channels: 1 }],
  [8, { name: "PCMA", clockRate: 8000, channels: 1 }],
  [9, { name: "G722", clockRate: 8000, channels: 1 }],
  [13, { name: "CN", clockRate: 8000, channels: 1 }],
  [18, { name: "G729", clockRate: 8000, channels: 1 }],
]);

export function staticFormat(payloadType: number): Format | undefined {
  const known = staticFormats.get(payloadType);
  return known === undefined ? undefined : { payloadType, ...known, parameters: "" };
}

/** Encoding names are compared without case (RFC 4855 s3). */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase();
  if (lower === telephoneEventName) return telephoneEventName;
  return knownCodecs.find((codec) => codec.name.toLowerCase() === lower)?.name ?? name;
}

export function isTelephoneEvent(format: Format): boolean {
  return format.name === telephoneEventName;
}

export function isSameCodec(one: Format, other: Format): boolean {
  return one.name === other.name && one.clockRate === other.clockRate && one.channels === other.channels;
}

/** Codecs we can offer a end, in the order of `names`; unknown names are left out. */
export function offeredCodecs(names: readonly string[]): Format[] {
  const formats: Format[] = [];
  for (const name of new Set(names.map(canonicalName))) {
    const known = knownCodecs.find((codec) => codec.name === name);
    if (known === undefined) continue;
    const { payloadType, clockRate, channels } = known;
    formats.push({ payloadType, name, clockRate, channels, parameters: "" });
  }
  return formats;
}

export function isWideband(format: Format): boolean {
  return knownCodecs.some(({ name, isWideband: isWide }) => isWide && name === format.name);
}

/** Is it one of the codecs that pass through at all? */
export function isKnownCodec(format: Format): boolean {
  return knownCodecs.some(
    ({ name, clockRate, channels }) =>
      name === format.name && clockRate === format.clockRate && channels === format.channels,
  );
}
