import { Agent } from "node:http";
import { describe, expect, it } from "vitest";
import { LISTENER_TYPE, type Transaction } from "../../../src/xds/server/library.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { send } from "../../support/traffic.ts";
import { MATRIX, startBench } from "./bench.ts";
import { clusterOf, endpointsOf, listenerOf, routeTo } from "./envoy-resources.ts";

const NAMES = ["a", "b", "c", "d"] as const;

/** Which of the ports each listener has, by index; -1 is none at all. */
type Layout = readonly [a: number, b: number, c: number, d: number];

/** Each after the one before it: whoever takes a port, and in which ways ports change hands. */
const MOVES: readonly { readonly title: string; readonly layout: Layout; readonly lost?: true }[] = [
  { title: "the later name leaves, the earlier takes", layout: [0, -1, -1, 3] },
  { title: "a chain", layout: [1, 2, -1, 0] },
  { title: "two change places", layout: [2, 1, -1, 0] },
  { title: "three in a round", layout: [1, 0, -1, 2] },
  { title: "one goes, a new one takes its port", layout: [1, -1, 0, 2] },
  { title: "all of it at once", layout: [0, 2, 1, -1] },
  { title: "two change places while the stream is away", layout: [2, 0, 1, -1], lost: true },
];

/** New connections without a pause: who answers, and when nobody did. */
class Watched implements AsyncDisposable {
  readonly answers: { readonly backend: string | undefined; readonly at: number }[] = [];
  readonly #work: Promise<void>;
  #stopped = false;

  constructor(port: number) {
    this.#work = this.#watch(port);
  }

  /** The longest that nobody answered, in milliseconds. */
  darkMs(): number {
    let longest = 0;
    let lightAt = this.answers[0]?.at ?? 0;
    for (const { backend, at } of this.answers) {
      if (backend !== undefined) lightAt = at;
      longest = Math.max(longest, at - lightAt);
    }
    return longest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }

  async #watch(port: number): Promise<void> {
    while (!this.#stopped) {
      const { backend } = await send({ url: `http://127.0.0.1:${port}/`, timeoutMs: 1000 }, new Agent());
      this.answers.push({ backend, at: performance.now() });
    }
  }
}

describe.each(MATRIX)("Envoy $version over $protocol ADS", ({ version, protocol }) => {
  it("ports change hands among listeners in any way, each in one update, and no port stays dark", async () => {
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
    const layOut = (tx: Transaction, layout: Layout) => {
      for (const [i, name] of NAMES.entries()) {
        const port = ports[layout[i] ?? -1];
        if (port === undefined) tx.delete(LISTENER_TYPE, name);
        else tx.set(listenerOf(name, port, name));
      }
    };
    await using bench = await startBench(version, protocol, async (each) => {
      for (const name of NAMES) {
        const port = await each.backend(name);
        each.update((tx) => {
          tx.set(clusterOf(name));
          tx.set(endpointsOf(name, port));
          tx.set(routeTo(name, name));
        });
      }
      each.update((tx) => layOut(tx, [1, -1, -1, 0]));
    });
    await bench.envoy?.ready();
    await bench.settled();
    let before: Layout = [1, -1, -1, 0];
    for (const { title, layout, lost } of MOVES) {
      const isKept = (i: number) => before.includes(i) && layout.includes(i);
      const kept = ports.filter((_port, i) => isKept(i));
      await using stack = new AsyncDisposableStack();
      const watched = kept.map((port) => stack.use(new Watched(port)));
      const change = () => bench.update((tx) => layOut(tx, layout));
      if (lost) await bench.cut(change);
      else change();
      await bench.settled();
      for (const [i, name] of NAMES.entries()) await answered(name, ports[layout[i] ?? -1]);
      await stack.disposeAsync();
      for (const port of watched) expect(port.darkMs(), title).toBeLessThan(1000);
      before = layout;
    }
    expect(bench.nacks).toEqual([]);
  });
});

async function answered(name: (typeof NAMES)[number], port: number | undefined): Promise<void> {
  if (port === undefined) return;
  await eventually(
    () => send({ url: `http://127.0.0.1:${port}/`, timeoutMs: 1000 }, new Agent()),
    ({ backend }) => backend === name,
    { what: `${name} answers on its port`, timeoutMs: 10_000 },
  );
}
