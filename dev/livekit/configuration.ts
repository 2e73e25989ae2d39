// The configuration of a livekit-server that is for this machine alone: media over one UDP port of loopback.

export interface LivekitPlaces {
  /** Of the signalling, over HTTP. */
  readonly port: number;
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Told who comes and goes, and makes the rooms; without it they are made by who enters. */
  readonly webhookUrl: string | undefined;
  /** Of audio, in the words of SDP; without them all that it knows. */
  readonly codecs?: readonly string[] | undefined;
}

/** As `livekit-server --config-body` takes it, in JSON. */
export const livekitConfiguration = ({
  port,
  tcpPort,
  udpPort,
  apiKey,
  apiSecret,
  webhookUrl,
  codecs,
}: LivekitPlaces) => ({
  port,
  bind_addresses: ["127.0.0.1"],
  rtc: {
    tcp_port: tcpPort,
    udp_port: udpPort,
    use_external_ip: false,
    node_ip: "127.0.0.1",
    enable_loopback_candidate: true,
    interfaces: { includes: ["lo"] },
  },
  keys: { [apiKey]: apiSecret },
  room: {
    auto_create: webhookUrl === undefined,
    ...(codecs !== undefined && { enabled_codecs: codecs.map((codec) => ({ mime: `audio/${codec}` })) }),
  },
  ...(webhookUrl === undefined ? {} : { webhook: { api_key: apiKey, urls: [webhookUrl] } }),
  logging: { level: "info" },
});
