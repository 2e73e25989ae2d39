// The media engine's clock: begins at the time of day, for RTCP's NTP timestamps, and never steps when somebody sets the
// machine's.

export function clockMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
