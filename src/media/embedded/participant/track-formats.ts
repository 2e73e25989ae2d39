// In which codecs tracks of a media server are heard, and in which one we speak.
import { offeredCodecs, opusName, type Format } from "../../../core/sdp/format.ts";

function formatOf(codec: string): Format {
  const [format] = offeredCodecs([codec]);
  if (format === undefined) throw new Error(`no such codec: ${codec}`);
  return format;
}

/** All clients speak it, and all media servers take it. */
export const opusFormat = formatOf(opusName);
const telephoneFormats = [formatOf("PCMU"), formatOf("PCMA")];
/** Telephones may be heard as they came. */
export const heardFormats: readonly Format[] = [opusFormat, ...telephoneFormats];

/** Undefined: no track of that kind is heard. */
export function heardAt(payloadType: number): Format | undefined {
  return heardFormats.find((format) => format.payloadType === payloadType);
}

/**
 * In which we speak as long as a visit lasts, as LiveKit does not follow a track of sound from one codec to another. A telephone's
 * own where it can have no other voice than that, and the server takes it: then nothing has to be encoded.
 * @param voices codecs that the telephone speaks, or may come to speak, the likeliest first
 * @param taken codecs that the server takes
 */
export function spokenFormat(voices: readonly string[], taken: readonly string[]): Format {
  const isTelephone = voices.every((voice) => telephoneFormats.some(({ name }) => name === voice));
  if (!isTelephone) return opusFormat;
  // One law is turned into the other for next to nothing.
  const wanted = [...voices, ...telephoneFormats.map(({ name }) => name)].find((each) => taken.includes(each));
  return voices.length === 0 || wanted === undefined ? opusFormat : formatOf(wanted);
}
