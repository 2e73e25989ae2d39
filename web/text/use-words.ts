// The words and formats of the language of the moment, for every component.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { en, type Strings } from "../strings/en.ts";
import { formatsOf, type Formats } from "./formats.ts";

export interface Words {
  readonly t: Strings;
  readonly f: Formats;
}

export const WordsContext = createContext<Words>({ t: en, f: formatsOf("en") });

export function useWords(): Words {
  return useContext(WordsContext);
}
