// The door to `npm run demo`, which every Node can open: what is behind it is TypeScript and wants a recent one.
// `npm ci` brings Node 24 (package.json, devDependencies), and npm scripts run on that.

/** @param {string} line */
function giveUp(line) {
  console.error(line);
  process.exitCode = 1;
}

const features = /** @type {{ typescript?: string | false }} */ (process.features);
if (features.typescript) {
  import("./demo.ts").catch((error) => {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    giveUp("A package is missing. Run `npm ci` first.");
  });
} else {
  giveUp(
    `The demo needs Node 24, and this is ${process.version}. Run \`npm ci\`, which brings one, and start it by \`npm run demo\`.`,
  );
}
