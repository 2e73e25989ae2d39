// What the process has cost so far.

/** CPU of this process on all its threads since its start, in ms. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
