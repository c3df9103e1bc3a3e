import type { TypeReading } from "../protocol/type-state.ts";
import type { HeldAccount } from "./held-bytes.ts";
import { LimitMet } from "./limit-met.ts";
import type { NameList } from "./name-lists.ts";

/** What a name costs besides its characters: about this much, measured in sets, tables and lists. */
const NAME_BYTES = 100;

/** Counts the names that a stream's client makes the server hold, as they change. */
export class HeldNames {
  readonly #account: HeldAccount;
  /** Name sets and lists that other streams may also hold. */
  #shared: readonly object[] = [];
  #presentedBytes = 0;

  constructor(account: HeldAccount) {
    this.#account = account;
  }

  /** Counts what a client says it has from an earlier stream. */
  presented(versions: ReadonlyMap<string, string>): void {
    for (const [name, version] of versions) this.#presentedBytes += name.length + version.length + NAME_BYTES;
  }

  /**
   * Counts what the stream subscribes to, and the texts of standing refusals.
   *
   * @throws LimitMet when the stream subscribes to more names than it may
   */
  count(states: Iterable<TypeReading>, lists: Iterable<NameList>, maxNames: number): void {
    const shared: object[] = [];
    const share = (what: object, bytes: number) => {
      shared.push(what);
      this.#account.share(what, bytes);
    };
    let names = 0;
    let bytes = this.#presentedBytes;
    for (const { subscription, refused } of states) {
      const { size } = subscription.names;
      const own = subscription.nameLength + size * NAME_BYTES;
      names += size;
      if (subscription.sharedNames) share(subscription.sharedNames, own);
      else bytes += own;
      for (const { message } of new Set(refused.values())) bytes += message.length;
    }
    if (names > maxNames) {
      throw new LimitMet("maxNames", `the stream subscribes to ${names.toLocaleString("en")} names`, maxNames);
    }
    for (const list of lists) share(list, list.bytes.length);
    for (const what of this.#shared) if (!shared.includes(what)) this.#account.unshare(what);
    this.#shared = shared;
    this.#account.set("names", bytes);
  }
}
