import type { TypeReading } from "../protocol/type-state.ts";
import type { HeldAccount } from "./held-bytes.ts";
import { LimitMet } from "./limit-met.ts";
import type { NameList } from "./name-lists.ts";

/** What an open stream costs whatever it says: measured are 10 to 20 KB, most of it in HTTP/2 and gRPC. */
const STREAM_BYTES = 16 * 1024;
/** What a name costs beside its characters: measured in sets, tables and lists, about this much. */
const NAME_BYTES = 100;

/** Keeps the account of one stream: what its client makes the server hold, as the stream goes on. */
export class StreamHoldings {
  readonly #account: HeldAccount;
  /** Name sets and lists that other streams may hold, too. */
  #shared: ReadonlySet<object> = new Set();
  #presentedBytes = 0;

  constructor(account: HeldAccount) {
    this.#account = account;
  }

  /** The stream has opened. */
  open(): void {
    this.#account.set("stream", STREAM_BYTES);
  }

  request(bytes: number): void {
    this.#account.set("request", bytes);
  }

  node(bytes: number): void {
    this.#account.set("node", bytes);
  }

  /** What a client says that it has from an earlier stream. */
  presented(versions: ReadonlyMap<string, string>): void {
    for (const [name, version] of versions) this.#presentedBytes += name.length + version.length + NAME_BYTES;
  }

  /**
   * Counts what the stream subscribes to, and the texts of the refusals that stand.
   *
   * @throws LimitMet when these are more names than one stream may have
   */
  count(states: Iterable<TypeReading>, lists: Iterable<NameList>, maxNames: number): void {
    const shared = new Set<object>();
    const share = (what: object, bytes: number) => {
      shared.add(what);
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
    for (const what of this.#shared) if (!shared.has(what)) this.#account.unshare(what);
    this.#shared = shared;
    this.#account.set("names", bytes);
  }

  /** A response is on its way to a client that may not read; call what is returned once the socket has taken it. */
  sending(frame: object, bytes: number): () => void {
    this.#account.share(frame, bytes);
    return () => this.#account.unshare(frame);
  }

  close(): void {
    this.#account.close();
  }
}
