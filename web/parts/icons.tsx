// The icons of the menu and the buttons. Each stands beside words, or its button has a label.
import type { JSX } from "preact";
import type { PageName } from "../app/router.ts";

const paths: Readonly<Record<PageName | "settings" | "help" | "out" | "in" | "joined", string>> = {
  calls: "M6.5 3.5 9 8 7 9.7a11 11 0 0 0 7.3 7.3L16 15l4.5 2.5-1 3.5C11 21.5 2.5 13 3 4.5Z",
  trunks: "M4 6h16M4 12h16M4 18h16M8 4v4M16 10v4M11 16v4",
  history: "M12 7v5l3.5 2M3.5 12a8.5 8.5 0 1 0 2.5-6M6 2.5V6h3.5",
  numbers: "M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16",
  limits: "M4 17a8.5 8.5 0 1 1 16 0M12 16l4-6",
  bridge: "M3 17v-3a9 9 0 0 1 18 0v3M3 14h18M8 14V8M12 14V5M16 14V8",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.1M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z",
  out: "M7 17 17 7M9 7h8v8",
  in: "M17 7 7 17M15 17H7V9",
  joined: "M5 8h14M15 4l4 4-4 4M19 16H5M9 12l-4 4 4 4",
};

interface IconProps {
  readonly name: keyof typeof paths;
  /** Laid down, as a receiver. */
  readonly down?: boolean;
}

export function Icon({ name, down = false }: IconProps): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} transform={down ? "rotate(135 12 12)" : undefined} />
    </svg>
  );
}
