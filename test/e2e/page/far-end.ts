// The far end of a call in the page itself, where no telephone is wanted: a peer connection that plays a tone.

let connection: RTCPeerConnection | undefined;

/** An offer with all its candidates; of a new connection each time. */
export async function farOffer(): Promise<string> {
  const context = new AudioContext();
  const line = context.createMediaStreamDestination();
  const tone = context.createOscillator();
  tone.connect(line);
  tone.start();
  const made = new RTCPeerConnection();
  connection = made;
  for (const track of line.stream.getTracks()) made.addTrack(track, line.stream);
  const gathered = new Promise<void>((resolve) => {
    made.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate === null) resolve();
    });
  });
  await made.setLocalDescription(await made.createOffer());
  await gathered;
  return made.localDescription?.sdp ?? "";
}

/** The answer to the newest offer. */
export async function farAnswered(sdp: string): Promise<void> {
  await connection?.setRemoteDescription({ type: "answer", sdp });
}
