import { describe, expect, it } from "vitest";
import { type ResourceInput, SECRET_TYPE } from "../../../src/xds/server/library.ts";
import type { KeyPair } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
import { type Bench, MATRIX, startBench } from "./bench.ts";
import { clusterOf, endpointsOf } from "./envoy-resources.ts";
import { ADS, everythingTo, httpListener } from "./json-resources.ts";
import { EDGE_SECRET, edgePair, edgeSecret, handshake, serialOf } from "./tls-edge.ts";

/** Handshakes without a pause, until it is stopped. */
class Handshakes implements AsyncDisposable {
  readonly serials: string[] = [];
  readonly failures: string[] = [];
  readonly #workers: readonly Promise<void>[];
  #stopped = false;

  constructor(port: number) {
    const work = async () => {
      while (!this.#stopped) {
        await handshake(port).then(
          (serial) => this.serials.push(serial),
          (error: unknown) => this.failures.push(String(error)),
        );
      }
    };
    this.#workers = [work(), work()];
  }

  async serves(pair: KeyPair): Promise<void> {
    const wanted = serialOf(pair);
    await eventually(
      () => this.serials.at(-1),
      (serial) => serial === wanted,
      { what: "the new certificate is served", explain: () => this.failures.join("\n") },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
  }
}

function listenerWith(bench: Bench, source: object = {}): ResourceInput {
  return httpListener({
    name: "l",
    port: bench.listenPort,
    manager: { routeConfig: everythingTo("x") },
    tls: { tlsCertificateSdsSecretConfigs: [{ name: EDGE_SECRET, sdsConfig: { ...ADS, ...source } }] },
  });
}

async function serveTls(bench: Bench, pair: KeyPair): Promise<void> {
  const port = await bench.backend("x");
  bench.update((tx) => {
    tx.set(clusterOf("x"));
    tx.set(endpointsOf("x", port));
    tx.set(edgeSecret(pair));
    tx.set(listenerWith(bench));
  });
}

describe.each(MATRIX)("secrets by $protocol ADS to Envoy $version", ({ version, protocol }) => {
  it("xds R7: rotate under load without one failed handshake, are never withdrawn, and touch no listener", async () => {
    const first = edgePair();
    await using bench = await startBench(version, protocol, (each) => serveTls(each, first));
    await bench.envoy?.ready();
    await using load = new Handshakes(bench.listenPort);
    await load.serves(first);
    load.failures.length = 0;
    let newest = first;
    for (let round = 0; round < 5; round++) {
      newest = edgePair();
      bench.update((tx) => tx.set(edgeSecret(newest)));
      await load.serves(newest);
    }
    bench.update((tx) => tx.delete(SECRET_TYPE, EDGE_SECRET));
    await bench.restart();
    await bench.settled();
    await load.serves(newest);
    expect(load.failures).toEqual([]);
    expect(await bench.stat("listener_manager.listener_modified")).toBe(0);
    expect(await bench.stat("listener_manager.listener_in_place_updated")).toBe(0);
    expect(bench.nacks).toEqual([]);
  });

  it("xds R6: a listener whose ConfigSource bytes change has its certificate at once", async () => {
    const pair = edgePair();
    await using bench = await startBench(version, protocol, (each) => serveTls(each, pair));
    await bench.envoy?.ready();
    await using load = new Handshakes(bench.listenPort);
    await load.serves(pair);
    load.failures.length = 0;
    // Without the secret behind it, the new listener would warm for these 60 s.
    bench.update((tx) => tx.set(listenerWith(bench, { initialFetchTimeout: "60s" })));
    await eventually(
      () => bench.stat("listener_manager.total_listeners_warming"),
      (count) => count === 0,
      { what: "nothing warms", timeoutMs: 10_000 },
    );
    await eventually(
      () => bench.envoy?.get("/config_dump?resource=dynamic_listeners") ?? "",
      (dump) => dump.includes('"initial_fetch_timeout": "60s"') && !dump.includes("warming_state"),
      { what: "the changed listener is in use", timeoutMs: 10_000 },
    );
    await load.serves(pair);
    expect(load.failures).toEqual([]);
  });

  it("xds C7, R16: a secret that Envoy refuses leaves the old certificate in use, and a good one repairs it", async () => {
    const first = edgePair();
    const other = edgePair();
    await using bench = await startBench(version, protocol, (each) => serveTls(each, first));
    await bench.envoy?.ready();
    await using load = new Handshakes(bench.listenPort);
    await load.serves(first);
    load.failures.length = 0;
    bench.update((tx) => tx.set(edgeSecret({ certificate: other.certificate, key: first.key })));
    await eventually(
      () => bench.nacks.length,
      (count) => count === 1,
      { what: "the mismatched pair is refused" },
    );
    await load.serves(first);
    bench.update((tx) => tx.set(edgeSecret(first)));
    await bench.settled();
    await load.serves(first);
    bench.update((tx) => tx.set(edgeSecret(other)));
    await load.serves(other);
    expect(load.failures).toEqual([]);
    expect(bench.nacks).toHaveLength(1);
  });
});
