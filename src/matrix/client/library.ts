// The one place that loads matrix-appservice-bridge, because it does not load by itself everywhere and escapes ids that are ours.
// Everybody else takes its values from here; its types may be imported from the package.
import { createRequire, Module } from "node:module";
import type * as Library from "matrix-appservice-bridge";

const require = createRequire(import.meta.url);
const bridgeRequire = createRequire(require.resolve("matrix-appservice-bridge"));
const sdkRequire = createRequire(bridgeRequire.resolve("@vector-im/matrix-bot-sdk"));

// The library's client requires a native crypto addon at import, and that addon's binary is downloaded by an install
// script: absent where such scripts are blocked or the download fails. This bridge never uses that crypto, so an
// empty module takes its place. Seeding the module cache works on every Node that `engines` allows (22.12 has no
// synchronous resolve hooks).
const cryptoFile = sdkRequire.resolve("@matrix-org/matrix-sdk-crypto-nodejs");
const emptyModule = new Module(cryptoFile);
emptyModule.filename = cryptoFile;
emptyModule.loaded = true;
require.cache[cryptoFile] = emptyModule;

// One of the library's dependencies calls the deprecated util._extend while it loads, and an operator would be warned of
// it at every start. This is the replacement that the warning itself asks for.
Object.assign(require("node:util") as object, { _extend: Object.assign });

const library = require("matrix-appservice-bridge") as typeof Library;

export const { AppService, AppServiceRegistration, AppserviceHttpError, Bridge } = library;

// A ghost's id is exactly what the number says: the library would turn `%` into `=25` and `+` into `=2b`.
library.MatrixUser.ESCAPE_DEFAULT = false;

// The library's client, which answers queries for users, logs errors with ids in them.
const silence = (): void => undefined;
const sdk = bridgeRequire("@vector-im/matrix-bot-sdk") as {
  readonly LogService: {
    setLogger(logger: Readonly<Record<"info" | "warn" | "error" | "debug" | "trace", () => void>>): void;
  };
};
sdk.LogService.setLogger({ info: silence, warn: silence, error: silence, debug: silence, trace: silence });
