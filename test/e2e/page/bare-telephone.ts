// One RTCPeerConnection with a microphone and an ear, driven by a test: no Matrix, no signalling of its own.
// Served as it is, with its types stripped, so it imports nothing but types.
import type { BareTelephone } from "./bare-telephone-api.ts";

const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
const found: string[] = [];
let analyser: AnalyserNode | undefined;
let context: AudioContext | undefined;
connection.addEventListener("icecandidate", ({ candidate }) => {
  if (candidate !== null) found.push(candidate.candidate);
});
connection.addEventListener("track", ({ track, streams }) => {
  if (track.kind !== "audio") return;
  const element = document.createElement("audio");
  element.srcObject = streams[0] ?? new MediaStream([track]);
  element.autoplay = true;
  document.body.append(element);
  context = new AudioContext();
  analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  context.createMediaStreamSource(element.srcObject).connect(analyser);
});
let sender: RTCRtpSender | undefined;
const open = async (video: boolean): Promise<void> => {
  if (sender !== undefined) return;
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
  for (const track of stream.getTracks()) {
    const added = connection.addTrack(track, stream);
    if (track.kind === "audio") sender = added;
  }
};
const telephone: BareTelephone = {
  async offer({ codecs, video = false, direction = "sendrecv", restart = false }) {
    await open(video);
    for (const each of connection.getTransceivers()) {
      each.direction = direction as RTCRtpTransceiverDirection;
      if (each.sender !== sender) continue;
      const all = RTCRtpReceiver.getCapabilities("audio")?.codecs ?? [];
      each.setCodecPreferences(all.filter((codec) => codecs.includes(codec.mimeType.toLowerCase())));
    }
    if (restart) connection.restartIce();
    await connection.setLocalDescription(await connection.createOffer());
    return connection.localDescription?.sdp ?? "";
  },
  answered: (sdp) => connection.setRemoteDescription({ type: "answer", sdp }),
  async answer(sdp) {
    await connection.setRemoteDescription({ type: "offer", sdp });
    await open(false);
    await connection.setLocalDescription(await connection.createAnswer());
    return connection.localDescription?.sdp ?? "";
  },
  candidates: () => found.splice(0),
  press(keys) {
    sender?.dtmf?.insertDTMF(keys, 160, 70);
    return sender?.dtmf?.canInsertDTMF ?? false;
  },
  hears() {
    if (analyser === undefined || context === undefined) return { hz: 0, db: -Infinity };
    void context.resume();
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.reduce((best, level, index) => (level > (bins[best] ?? -Infinity) ? index : best), 0);
    return { hz: (loudest * context.sampleRate) / analyser.fftSize, db: bins[loudest] ?? -Infinity };
  },
  state: () => connection.connectionState,
  close: () => connection.close(),
  async received() {
    for (const [, stat] of await connection.getStats())
      if (stat.type === "inbound-rtp") return stat.packetsReceived as number;
    return 0;
  },
};
Object.assign(globalThis, { telephone });
