import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { newContainment } from "../support/containment.ts";
import { eventually } from "../support/eventually.ts";
import { startNats } from "../support/nats.ts";
import { startWires, type Wires } from "../support/wires.ts";

const WRITER = fileURLToPath(new URL("nats-lease-writer.ts", import.meta.url));
const NAMES = ["a", "b", "c"];
const ROUNDS = 2;
const WRITES_A_TENURE = 400;

test("a holder that was paused, killed or cut off never writes after a later one", async () => {
  await using cluster = await startNats({ size: 3 });
  await using disposables = new AsyncDisposableStack();
  const wires = new Map<string, Wires>();
  for (const name of NAMES) wires.set(name, disposables.use(await startWires(cluster)));
  const { state } = await openNatsStore({
    servers: cluster.urls,
    bucket: "leases",
    replicas: 3,
    replica: "observer",
    leaseTtlMs: 3_000,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    containment: newContainment(),
  });
  const start = (name: string) =>
    spawn(process.execPath, [WRITER, wires.get(name)?.urls.join(",") ?? "", name], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  const writers = new Map(NAMES.map((name) => [name, start(name)]));
  const writes: { position: number; token: number; holder: string }[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const event of state.watch({ signal: stop.signal })) {
      if (event.kind !== "commit") continue;
      for (const { key, value, revision } of event.changes.toSorted(
        (a, b) => a.revision.position - b.revision.position,
      )) {
        const [token = "", holder = ""] = new TextDecoder().decode(value).split(" ");
        if (key.startsWith("duty/")) writes.push({ position: revision.position, token: Number(token), holder });
      }
    }
  })();
  const holderAfter = async (token: number) => {
    const found = await eventually(
      () => writes.at(-1),
      (write) => write !== undefined && write.token > token,
      { what: "another holder writes", timeoutMs: 40_000 },
    );
    return found ?? { position: 0, token, holder: "" };
  };
  /** The new holder writes on while the old one is free to try. */
  const goOn = async () => {
    const seen = writes.length;
    await eventually(
      () => writes.length,
      (count) => count >= seen + WRITES_A_TENURE,
      { what: "the new holder goes on beside the old one", timeoutMs: 60_000 },
    );
  };
  try {
    let current = await holderAfter(0);
    for (let round = 0; round < ROUNDS; round++) {
      const paused = writers.get(current.holder);
      paused?.kill("SIGSTOP");
      const next = await holderAfter(current.token);
      paused?.kill("SIGCONT");
      await goOn();
      const killed = writers.get(next.holder);
      killed?.kill("SIGKILL");
      const third = await holderAfter(next.token);
      writers.set(next.holder, start(next.holder));
      await goOn();
      wires.get(third.holder)?.cut();
      current = await holderAfter(third.token);
      wires.get(third.holder)?.mend();
      await goOn();
    }
    const tokens = writes.map(({ token }) => token);
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    expect(writes.map(({ position }) => position)).toEqual(
      writes.map(({ position }) => position).toSorted((a, b) => a - b),
    );
    expect(new Set(tokens).size).toBeGreaterThanOrEqual(1 + 3 * ROUNDS);
    expect(writes.length).toBeGreaterThanOrEqual(3 * ROUNDS * WRITES_A_TENURE);
  } finally {
    const ended = [...writers.values()].flatMap((writer) =>
      writer.exitCode === null && writer.signalCode === null ? [once(writer, "exit")] : [],
    );
    for (const writer of writers.values()) writer.kill("SIGKILL");
    await Promise.all(ended);
    stop.abort();
    await watching;
    await state.close();
  }
});
