/** What `act` costs this thread, in ms: the same on a busy machine, unlike the time that passes. */
export function cpuMsOf(act: () => void): number {
  const before = process.threadCpuUsage();
  act();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
