// The far end of a call in the page itself, where no telephone is wanted: a peer connection that plays a tone.

let connection: RTCPeerConnection | undefined;

/** One that plays something, and a promise that all its candidates are known. */
function connect(): { readonly made: RTCPeerConnection; readonly gathered: Promise<void> } {
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
  return { made, gathered };
}

/** An offer with all its candidates; of a new connection each time. */
export async function farOffer(): Promise<string> {
  const { made, gathered } = connect();
  await made.setLocalDescription(await made.createOffer());
  await gathered;
  return made.localDescription?.sdp ?? "";
}

/** The answer of a new connection to an offer, with all its candidates. */
export async function farAnswer(sdp: string): Promise<string> {
  const { made, gathered } = connect();
  await made.setRemoteDescription({ type: "offer", sdp });
  await made.setLocalDescription(await made.createAnswer());
  await gathered;
  return made.localDescription?.sdp ?? "";
}

/** The answer to the newest offer. */
export async function farAnswered(sdp: string): Promise<void> {
  await connection?.setRemoteDescription({ type: "answer", sdp });
}
