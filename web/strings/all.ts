import type { Language } from "../text/language.ts";
import { de } from "./de.ts";
import { en, type Strings } from "./en.ts";
import { es } from "./es.ts";
import { fr } from "./fr.ts";

export const strings: Readonly<Record<Language, Strings>> = { en, de, fr, es };
