/**
 * How long tests and the demo wait, in ms, for what ought to come, unless they say otherwise: much longer than it takes
 * on a busy machine, because whoever waits in vain has found a defect.
 */
export const patienceMs = 30_000;
