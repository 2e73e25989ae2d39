// How many connections others may keep open here, and which one goes when there are too many: one that has said nothing
// yet before one that has, and of those the address that holds most. A good peer speaks at once, so that strangers who
// only sit there cannot shut it out, not even from its own address. Knows no sockets.

export interface CrowdLimits {
  readonly all: number;
  readonly fromOneAddress: number;
}

export interface Member {
  /** It has said something whole. */
  heard(): void;
  /** It is closed. */
  gone(): void;
}

interface Entry {
  readonly close: () => void;
  spoke: boolean;
}

export class Crowd {
  readonly #limits: CrowdLimits;
  /** Of each address, the one longest unheard of first. */
  readonly #members = new Map<string, Set<Entry>>();
  #size = 0;

  constructor(limits: CrowdLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes one in; another may have to go for it, whose `close` is called. The address of that one, if so. */
  add(address: string, close: () => void): { readonly member: Member; readonly closed: string | undefined } {
    const closed = this.#makeRoom(address);
    const entry: Entry = { close, spoke: false };
    const own = this.#members.get(address) ?? new Set();
    this.#members.set(address, own.add(entry));
    this.#size += 1;
    const member: Member = {
      heard: () => {
        if (!own.delete(entry)) return;
        entry.spoke = true;
        own.add(entry);
      },
      gone: () => void this.#remove(address, entry),
    };
    return { member, closed };
  }

  closeAll(): void {
    const all = [...this.#members.values()].flatMap((own) => [...own]);
    this.#members.clear();
    this.#size = 0;
    for (const { close } of all) close();
  }

  #makeRoom(address: string): string | undefined {
    const own = this.#members.get(address);
    if ((own?.size ?? 0) >= this.#limits.fromOneAddress) return this.#closeOneOf(address);
    return this.#size < this.#limits.all ? undefined : this.#closeOneOf(this.#mostCrowded());
  }

  #mostCrowded(): string {
    const silent = (own: ReadonlySet<Entry>): number => [...own].filter(({ spoke }) => !spoke).length;
    const crowded = [...this.#members].map(([address, own]) => ({ address, silent: silent(own), all: own.size }));
    crowded.sort((one, other) => other.silent - one.silent || other.all - one.all);
    return crowded[0]?.address ?? "";
  }

  #closeOneOf(address: string): string {
    const own = [...(this.#members.get(address) ?? [])];
    const entry = own.find(({ spoke }) => !spoke) ?? own[0];
    if (entry !== undefined) {
      this.#remove(address, entry);
      entry.close();
    }
    return address;
  }

  #remove(address: string, entry: Entry): void {
    const own = this.#members.get(address);
    if (own?.delete(entry) !== true) return;
    this.#size -= 1;
    if (own.size === 0) this.#members.delete(address);
  }
}
