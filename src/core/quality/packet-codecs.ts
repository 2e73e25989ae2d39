// What codecs spoil, and how well they bear loss (ITU-T G.113, Appendix I): Ie and Bpl of the E-model.

interface PacketCodec {
  /** Ie. */
  readonly impairment: number;
  /** Bpl. */
  readonly robustness: number;
}

/** Whoever listens conceals what is lost (G.711, Appendix I), as clients and gateways do. */
const concealed: PacketCodec = { impairment: 0, robustness: 25.1 };

/** The model knows no wideband codecs: these are judged as what a telephone line makes of them. */
export const packetCodecs: Readonly<Record<string, PacketCodec>> = {
  PCMU: concealed,
  PCMA: concealed,
  G722: concealed,
  opus: concealed,
};
