// A question before something that cannot be taken back: what will happen, and the words of who decides.
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useWords } from "../text/use-words.ts";

interface Field {
  readonly name: string;
  readonly label: string;
  readonly initial?: string;
  readonly type?: "text" | "number";
  readonly min?: number;
  readonly max?: number;
  readonly maxLength?: number;
}

export interface Confirming {
  readonly title: string;
  readonly body: string;
  /** On the button that does it. */
  readonly action: string;
  readonly danger?: boolean;
  readonly fields?: readonly Field[];
}

interface ConfirmProps {
  readonly question: Confirming;
  /** Undefined: no. */
  readonly onAnswer: (answer: Readonly<Record<string, string>> | undefined) => void;
}

export function Confirm({ question, onAnswer }: ConfirmProps): JSX.Element {
  const { t } = useWords();
  const { title, body, action, danger = false, fields = [] } = question;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    onAnswer(Object.fromEntries([...given].map(([name, value]) => [name, typeof value === "string" ? value : ""])));
  };
  return (
    <Dialog title={title} onClose={() => onAnswer(undefined)}>
      <form onSubmit={submit}>
        <p>{body}</p>
        {fields.map(({ name, label, initial, type = "text", min, max, maxLength }) => (
          <label class="field" key={name}>
            <span>{label}</span>
            {type === "number" ? (
              <input type="number" {...{ name, min, max }} value={initial} required />
            ) : (
              <input type="text" {...{ name, maxLength }} value={initial} autocomplete="off" />
            )}
          </label>
        ))}
        <div class="buttons">
          <button type="button" onClick={() => onAnswer(undefined)}>
            {t.cancel}
          </button>
          <button type="submit" class={danger ? "danger" : "primary"}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the next key is pressed.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const { current: opened } = dialog;
    opened?.showModal();
    return () => {
      // Nothing behind an open dialog can have the focus.
      opened?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // Beside what is in it.
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-body">
        <h2 id="dialog-title">{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
