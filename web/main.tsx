// The console: a page of the admin port, for whoever runs the bridge.
import { render } from "preact";
import { Console } from "./app/console.tsx";

const at = document.querySelector("#app");
if (at !== null) render(<Console />, at);
