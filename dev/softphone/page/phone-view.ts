// The page around the phone: shows its state, takes clicks and keys. Decides nothing.
import { askForCall, type SoftphoneConfig } from "./config.ts";
import type { Phone } from "./phone.ts";
import type { Phase, PhoneState } from "./phone-state.ts";
import { peerOf, statusLine, statusWords } from "./phone-state.ts";
import type { Message } from "./probe.ts";

const dialKey = /^[0-9*#+]$/;

export class PhoneView {
  readonly #document: Document;
  #shownMessages = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  showProblem(problem: string): void {
    this.#body.dataset["phase"] = "broken";
    this.#find("status", HTMLElement).textContent = problem;
    this.#announce(problem);
  }

  show(phone: Phone, { numbers, ownNumber }: Pick<SoftphoneConfig, "numbers" | "ownNumber">): void {
    this.#listNumbers(phone, numbers);
    this.#takeClicks(phone);
    this.#takeTransfer(phone);
    if (ownNumber !== undefined) this.#offerCall(ownNumber);
    this.#takeKeys(phone);
    phone.onChange(() => this.#render(phone));
    this.#render(phone);
    const draw = () => {
      this.#renderMoving(phone);
      requestAnimationFrame(draw);
    };
    draw();
  }

  get #body(): HTMLElement {
    return this.#document.body;
  }

  get #number(): HTMLInputElement {
    return this.#find("number", HTMLInputElement);
  }

  get #transferTo(): HTMLInputElement {
    return this.#find("transfer-to", HTMLInputElement);
  }

  get #dialForm(): HTMLFormElement {
    return this.#find("dial", HTMLFormElement);
  }

  #find<Found extends HTMLElement>(id: string, kind: new () => Found): Found {
    const found = this.#document.getElementById(id);
    if (!(found instanceof kind)) throw new Error(`The page has no #${id}`);
    return found;
  }

  #button(id: string): HTMLButtonElement {
    return this.#find(id, HTMLButtonElement);
  }

  #takeClicks(phone: Phone): void {
    for (const key of this.#document.querySelectorAll<HTMLButtonElement>("[data-key]")) {
      key.addEventListener("click", () => this.#press(phone, key.dataset["key"] ?? ""));
    }
    this.#dialForm.addEventListener("submit", (event) => {
      event.preventDefault();
      if (phone.state.phase === "incoming") void phone.answer();
      else void phone.dial(this.#number.value);
    });
    this.#button("hang-up").addEventListener("click", () => phone.hangUp());
    this.#button("erase").addEventListener("click", () => {
      this.#number.value = this.#number.value.slice(0, -1);
      this.#render(phone);
    });
    this.#number.addEventListener("input", () => this.#render(phone));
    this.#button("mute").addEventListener("click", () => {
      if (phone.state.phase === "talking") void phone.setMuted(!phone.state.isMuted);
    });
    this.#button("hold").addEventListener("click", () => {
      if (phone.state.phase === "talking") phone.setHeld(!phone.state.isHeld);
    });
  }

  #takeTransfer(phone: Phone): void {
    const transfer = () => void phone.transfer(this.#transferTo.value);
    this.#button("transfer").addEventListener("click", transfer);
    this.#transferTo.addEventListener("input", () => this.#render(phone));
    this.#transferTo.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      // The form around it would dial.
      event.preventDefault();
      transfer();
    });
  }

  /** The page's server can have this number called. */
  #offerCall(ownNumber: string): void {
    const button = this.#button("ring-me");
    const problem = this.#find("ring-problem", HTMLElement);
    this.#find("ring-panel", HTMLElement).hidden = false;
    this.#find("own-number", HTMLElement).textContent = ownNumber;
    button.addEventListener("click", () => {
      problem.hidden = true;
      askForCall().catch((error: unknown) => {
        problem.textContent = error instanceof Error ? error.message : "The gateway cannot call";
        problem.hidden = false;
      });
    });
  }

  // Keys work wherever the focus is; in a field they are its own.
  #takeKeys(phone: Phone): void {
    this.#document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target === this.#transferTo) return;
      if (event.key === "Escape") phone.hangUp();
      // A focused button or field knows itself what Enter means.
      if (event.key === "Enter" && event.target === this.#document.body) this.#dialForm.requestSubmit();
      if (event.target === this.#number && phone.state.phase !== "talking") return;
      if (dialKey.test(event.key)) {
        event.preventDefault();
        this.#press(phone, event.key);
      }
      if (event.key === "Backspace" && phone.state.phase === "idle") this.#button("erase").click();
    });
  }

  #press(phone: Phone, key: string): void {
    this.#flash(key);
    if (phone.state.phase === "talking") phone.press(key);
    else if (phone.state.phase === "idle") {
      this.#number.value += key;
      this.#render(phone);
    }
  }

  #flash(key: string): void {
    const button = this.#document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    button?.animate([{ transform: "scale(0.94)" }, { transform: "scale(1)" }], { duration: 140 });
  }

  #listNumbers(phone: Phone, numbers: SoftphoneConfig["numbers"]): void {
    const list = this.#find("numbers", HTMLUListElement);
    this.#find("numbers-panel", HTMLElement).hidden = numbers.length === 0;
    list.replaceChildren(
      ...numbers.map(({ number, description }) => {
        const call = this.#document.createElement("button");
        call.type = "button";
        call.setAttribute("aria-label", `Call ${number}: ${description}`);
        call.append(this.#text("span", "number", number), this.#text("span", "description", description));
        call.addEventListener("click", () => {
          if (phone.state.phase !== "idle") return;
          this.#number.value = number;
          void phone.dial(number);
        });
        const item = this.#document.createElement("li");
        item.append(call);
        return item;
      }),
    );
  }

  #render(phone: Phone): void {
    const { state } = phone;
    this.#body.dataset["phase"] = state.phase;
    this.#body.dataset["connection"] = phone.isConnected ? "up" : "down";
    this.#body.dataset["ending"] = "ending" in state && state.ending.isFailure ? "failure" : "none";
    this.#find("account", HTMLElement).textContent = phone.userId;
    this.#find("no-dialling", HTMLElement).hidden = state.phase !== "idle" || phone.dialling !== "unavailable";
    this.#number.readOnly = state.phase !== "idle";
    this.#find("peer", HTMLElement).textContent = secondLine(state);
    this.#announce(statusWords(state));
    this.#renderButtons(phone, state);
    this.#renderMessages(phone.messages);
    this.#renderMoving(phone);
  }

  // A screen reader hears each change of state once, not the clock each second.
  #announce(words: string): void {
    const announcement = this.#find("announcement", HTMLElement);
    if (announcement.textContent !== words) announcement.textContent = words;
  }

  #renderButtons(phone: Phone, state: PhoneState): void {
    const isIdle = state.phase === "idle";
    const isTalking = state.phase === "talking";
    const call = this.#button("call");
    call.hidden = !isIdle && state.phase !== "incoming" && state.phase !== "starting";
    call.disabled =
      state.phase === "starting" || (isIdle && (phone.dialling !== "available" || this.#number.value.trim() === ""));
    this.#label("call", state.phase === "incoming" ? "Answer" : "Call");
    const hangUp = this.#button("hang-up");
    hangUp.hidden = !isLive(state.phase);
    this.#label("hang-up", hangUpWord(state.phase));
    this.#button("erase").disabled = !isIdle || this.#number.value === "";
    this.#find("controls", HTMLElement).hidden = !isTalking;
    this.#renderTransfer(state);
    this.#button("ring-me").disabled = !isIdle;
    this.#toggle("mute", isTalking && state.isMuted, "Unmute", "Mute");
    this.#toggle("hold", isTalking && state.isHeld, "Resume", "Hold");
    for (const key of this.#document.querySelectorAll<HTMLButtonElement>("[data-key]")) {
      key.disabled = !isIdle && !(isTalking && state.takesDigits && key.dataset["key"] !== "+");
    }
    for (const number of this.#document.querySelectorAll<HTMLButtonElement>("#numbers button")) {
      number.disabled = !isIdle || phone.dialling !== "available";
    }
  }

  #renderTransfer(state: PhoneState): void {
    const row = this.#find("transfer-row", HTMLElement);
    const isPossible = state.phase === "talking" && state.canBeTransferred;
    if (row.hidden && isPossible) this.#transferTo.value = "";
    row.hidden = !isPossible;
    this.#button("transfer").disabled = this.#transferTo.value.trim() === "";
    const problem = this.#find("transfer-problem", HTMLElement);
    problem.textContent = state.phase === "talking" ? state.transferProblem : "";
    problem.hidden = problem.textContent === "";
  }

  #label(id: string, word: string): void {
    const label = this.#button(id).querySelector(".label");
    if (label) label.textContent = word;
  }

  #toggle(id: string, isOn: boolean, wordOn: string, wordOff: string): void {
    this.#button(id).setAttribute("aria-pressed", String(isOn));
    this.#label(id, isOn ? wordOn : wordOff);
  }

  #renderMessages(messages: readonly Message[]): void {
    const list = this.#find("messages", HTMLUListElement);
    for (const message of messages.slice(this.#shownMessages)) list.prepend(this.#message(message));
    this.#shownMessages = messages.length;
    this.#find("no-messages", HTMLElement).hidden = messages.length > 0;
  }

  #message({ sender, body, sentAt, isNotice }: Message): HTMLElement {
    const item = this.#document.createElement("li");
    item.className = isNotice ? "notice" : "message";
    const time = this.#document.createElement("time");
    time.dateTime = new Date(sentAt).toISOString();
    time.textContent = new Date(sentAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const head = this.#text("div", "head", "");
    head.append(this.#text("strong", "sender", sender), time);
    item.append(head, this.#text("p", "body", body));
    return item;
  }

  // What changes with time alone: the clock and the level.
  #renderMoving(phone: Phone): void {
    const status = this.#find("status", HTMLElement);
    const line = statusLine(phone.state, Date.now());
    if (status.textContent !== line) status.textContent = line;
    const level = phone.state.phase === "talking" ? phone.ear.level() : 0;
    const meter = this.#find("level", HTMLElement);
    meter.style.setProperty("--level", level.toFixed(3));
    meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }

  #text(tag: string, className: string, text: string): HTMLElement {
    const element = this.#document.createElement(tag);
    element.className = className;
    element.textContent = text;
    return element;
  }
}

const isLive = (phase: Phase) => !["starting", "broken", "idle"].includes(phase);

function hangUpWord(phase: Phase): string {
  if (phase === "incoming") return "Decline";
  return phase === "talking" || phase === "connecting" ? "Hang up" : "Cancel";
}

function secondLine(state: PhoneState): string {
  if (state.phase === "idle" && !("ending" in state)) return "Type a number or pick one";
  return state.phase === "talking" && state.digits !== "" ? `${state.peer} · ${state.digits}` : peerOf(state);
}
