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

/** A connection and a server of HTTP, as far as they matter here. */
interface Guest {
  readonly remoteAddress?: string | undefined;
  destroy(): unknown;
  once(event: "close", then: () => void): unknown;
}
interface GuestHouse {
  on(event: "connection", then: (socket: Guest) => void): unknown;
  on(event: "request", then: (request: { readonly socket: Guest }) => void): unknown;
}

/** Counts the connections of a server: a whole request is something said. `closed`: told where one went for another. */
export function crowdOf(server: GuestHouse, limits: CrowdLimits, closed: (address: string) => void): Crowd {
  const crowd = new Crowd(limits);
  const members = new WeakMap<Guest, Member>();
  server.on("connection", (socket) => {
    const { member, closed: gone } = crowd.add(socket.remoteAddress ?? "", () => void socket.destroy());
    if (gone !== undefined) closed(gone);
    members.set(socket, member);
    socket.once("close", () => member.gone());
  });
  server.on("request", ({ socket }) => members.get(socket)?.heard());
  return crowd;
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
      gone: () => this.#remove(address, entry),
    };
    return { member, closed };
  }

  closeAll(): void {
    this.#close(() => true);
  }

  /** Those that have said nothing whole: nobody waits for an answer on them. */
  closeSilent(): void {
    this.#close(({ spoke }) => !spoke);
  }

  #close(which: (entry: Entry) => boolean): void {
    for (const [address, own] of this.#members) {
      for (const entry of own) {
        if (!which(entry)) continue;
        this.#remove(address, entry);
        entry.close();
      }
    }
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
