import { LimitMet } from "./limit-met.ts";
import type { XdsLimits } from "./limits.ts";

/** What a stream holds alone. It shares other things with other streams. */
export type HeldPart = "stream" | "request" | "node" | "names";

type Holder = { refuse(limit: LimitMet): void };
type Limits = Pick<XdsLimits, "maxHeldBytesPerConnection" | "maxHeldBytes">;
type Connection = { bytes: number };
type Shared = { readonly bytes: number; holders: number };

/**
 * Adds up what clients make the server hold: in full for each connection, and over all connections with what streams share
 * counted once. Two kinds of stream are refused: one that asks for more than its connection may have, and the one that holds
 * most when all together hold too much. So a client that takes much is ended before one that takes little.
 */
export class HeldBytes {
  readonly #limits: Limits;
  readonly #connections = new WeakMap<object, Connection>();
  readonly #accounts = new Set<HeldAccount>();
  readonly #shared = new Map<object, Shared>();
  #total = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Bytes that all streams hold together. */
  get total(): number {
    return this.#total;
  }

  /** @param holder called while its account is written to; it ends, and the account is closed by then */
  open(connection: object, holder: Holder): HeldAccount {
    const known = this.#connections.get(connection) ?? { bytes: 0 };
    this.#connections.set(connection, known);
    const account = new HeldAccount(this, known, holder);
    this.#accounts.add(account);
    return account;
  }

  /** For accounts. */
  add(account: HeldAccount, bytes: number): void {
    account.own += bytes;
    account.connection.bytes += bytes;
    this.#total += bytes;
    if (bytes > 0) this.#check(account);
  }

  /** For accounts. */
  share(account: HeldAccount, what: object, bytes: number): void {
    const known = this.#shared.get(what);
    if (known) known.holders++;
    else {
      this.#shared.set(what, { bytes, holders: 1 });
      this.#total += bytes;
    }
    account.connection.bytes += bytes;
    this.#check(account);
  }

  /** For accounts. */
  unshare(account: HeldAccount, what: object): void {
    const known = this.#shared.get(what);
    if (!known) return;
    account.connection.bytes -= known.bytes;
    known.holders--;
    if (known.holders > 0) return;
    this.#shared.delete(what);
    this.#total -= known.bytes;
  }

  /** For accounts. */
  forget(account: HeldAccount): void {
    this.#accounts.delete(account);
  }

  #check(account: HeldAccount): void {
    const { maxHeldBytesPerConnection, maxHeldBytes } = this.#limits;
    const { bytes } = account.connection;
    if (bytes > maxHeldBytesPerConnection) {
      const what = `this connection makes the server hold ${bytes.toLocaleString("en")} bytes`;
      account.refuse(new LimitMet("maxHeldBytesPerConnection", what, maxHeldBytesPerConnection));
    }
    while (this.#total > maxHeldBytes) {
      const heaviest = this.#heaviest();
      if (!heaviest) return;
      const what = `all clients together make the server hold ${this.#total.toLocaleString("en")} bytes, and this one the most`;
      heaviest.refuse(new LimitMet("maxHeldBytes", what, maxHeldBytes));
    }
  }

  #heaviest(): HeldAccount | undefined {
    let heaviest: HeldAccount | undefined;
    let most = 0;
    for (const account of this.#accounts) {
      let weight = account.own;
      for (const what of account.shared) {
        const { bytes, holders } = this.#shared.get(what) ?? { bytes: 0, holders: 1 };
        weight += bytes / holders;
      }
      if (weight > most) {
        heaviest = account;
        most = weight;
      }
    }
    return heaviest;
  }
}

/** What one stream holds. Nothing is added once it is closed. */
export class HeldAccount {
  readonly connection: Connection;
  /** Bytes that no other stream has a share in. */
  own = 0;
  readonly shared = new Set<object>();
  readonly #held: HeldBytes;
  readonly #holder: Holder;
  readonly #parts: Record<HeldPart, number> = { stream: 0, request: 0, node: 0, names: 0 };
  #closed = false;

  constructor(held: HeldBytes, connection: Connection, holder: Holder) {
    this.#held = held;
    this.connection = connection;
    this.#holder = holder;
  }

  set(part: HeldPart, bytes: number): void {
    const before = this.#parts[part];
    if (this.#closed || bytes === before) return;
    this.#parts[part] = bytes;
    this.#held.add(this, bytes - before);
  }

  /** Takes a share, once, in something of this size, until it is given back or the account is closed. */
  share(what: object, bytes: number): void {
    if (this.#closed || this.shared.has(what)) return;
    this.shared.add(what);
    this.#held.share(this, what, bytes);
  }

  unshare(what: object): void {
    if (this.shared.delete(what)) this.#held.unshare(this, what);
  }

  refuse(limit: LimitMet): void {
    this.close();
    this.#holder.refuse(limit);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const what of this.shared) this.#held.unshare(this, what);
    this.shared.clear();
    this.#held.add(this, -this.own);
    this.#held.forget(this);
  }
}
