#!/usr/bin/env node
// The program's first lines: argv to command, signals, exit codes. The only reader of process.*.
// Nothing is imported statically, so that a Node too old for the rest still gets as far as the sentence about it.
const neededNode: readonly [number, number] = [22, 14];

function isOldNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < neededNode[0] || (major === neededNode[0] && minor < neededNode[1]);
}

if (isOldNode(process.versions.node)) {
  process.stderr.write(
    `matrix-appservice-sip needs Node ${neededNode.join(".")} or newer; this is Node ${process.versions.node}\n`,
  );
  process.exit(1);
}

process.on("uncaughtException", (error) => {
  process.stderr.write(
    `matrix-appservice-sip: fault: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});

// Whoever reads what is printed has had enough, as `head` does.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

const { runCommand } = await import("./cli/command.ts");
const code = await runCommand(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  onSignal(listener) {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => listener(signal));
  },
  isScreen: process.stdout.isTTY,
  columns: process.stdout.columns,
  ...(process.stdin.isTTY && process.stdout.isTTY && { dialogue: { input: process.stdin, output: process.stdout } }),
  exit: (exitCode) => process.exit(exitCode),
});
// Whatever a stopped bridge still holds open must not keep it alive.
process.exit(code);
