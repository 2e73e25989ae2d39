// Lets in whoever has the admin token. The browser keeps a cookie that no script can read.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, type Client } from "../api/client.ts";
import { Icon } from "../parts/icons.tsx";
import { problemWords } from "../parts/problem.tsx";
import { useWords } from "../text/use-words.ts";

interface SignInProps {
  readonly client: Client;
  /** `ended`: whoever was signed in is not any more. */
  readonly was: "new" | "ended" | "used-link";
  readonly onSignedIn: () => void;
}

export function SignIn({ client, was, onSignedIn }: SignInProps): JSX.Element {
  const { t } = useWords();
  const input = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState<string | undefined>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    document.title = `${t.signIn.title} · ${t.title}`;
    input.current?.focus();
  }, [t]);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await client.ask("/session", { method: "POST", body: { token: input.current?.value.trim() ?? "" } });
      onSignedIn();
    } catch (error) {
      const isWrong = error instanceof Problem && (error.code === "unauthorized" || error.field === "token");
      setWrong(isWrong ? t.signIn.wrong : problemWords(error, t));
      setBusy(false);
      input.current?.select();
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <p class="brand">
          <Icon name="bridge" />
          {t.title}
        </p>
        <h1>{t.signIn.title}</h1>
        {was === "ended" && <p class="note">{t.signIn.ended}</p>}
        {was === "used-link" && <p class="note warn">{t.signIn.usedLink}</p>}
        <label class="field">
          <span>{t.signIn.token}</span>
          <input
            ref={input}
            type="password"
            name="token"
            required
            autocomplete="current-password"
            aria-describedby="token-hint token-wrong"
            aria-invalid={wrong !== undefined}
          />
        </label>
        <p id="token-hint" class="faint">
          {t.signIn.hint}
        </p>
        <p id="token-wrong" class="wrong" role="alert">
          {wrong}
        </p>
        <button type="submit" class="primary" disabled={isBusy}>
          {t.signIn.button}
        </button>
        <p class="faint">{t.signIn.byBot}</p>
      </form>
    </main>
  );
}
