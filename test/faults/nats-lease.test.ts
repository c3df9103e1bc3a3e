import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { eventually } from "../support/eventually.ts";
import { startNats } from "../support/nats.ts";

const WRITER = fileURLToPath(new URL("nats-lease-writer.ts", import.meta.url));
const NAMES = ["a", "b", "c"];

test("a holder that was paused or killed never writes after a later one", async () => {
  await using cluster = await startNats({ size: 3 });
  const { state } = await openNatsStore({
    servers: cluster.urls,
    bucket: "leases",
    replicas: 3,
    replica: "observer",
    leaseTtlMs: 3_000,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
  const start = (name: string) =>
    spawn(process.execPath, [WRITER, cluster.urls.join(","), name], { stdio: ["ignore", "ignore", "inherit"] });
  const writers = new Map(NAMES.map((name) => [name, start(name)]));
  const writes: { fence: number; holder: string }[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const event of state.watch({ signal: stop.signal })) {
      if (event.kind !== "commit") continue;
      for (const { key, value } of event.changes) {
        const [fence = "", holder = ""] = new TextDecoder().decode(value).split(" ");
        if (key === "duty/log") writes.push({ fence: Number(fence), holder });
      }
    }
  })();
  const holderAfter = async (fence: number) => {
    const found = await eventually(
      () => writes.at(-1),
      (write) => write !== undefined && write.fence > fence,
      { what: "another holder writes", timeoutMs: 40_000 },
    );
    return found ?? { fence, holder: "" };
  };
  try {
    let current = await holderAfter(0);
    for (let round = 0; round < 3; round++) {
      const paused = writers.get(current.holder);
      paused?.kill("SIGSTOP");
      const next = await holderAfter(current.fence);
      paused?.kill("SIGCONT");
      const seen = writes.length;
      await eventually(
        () => writes.length,
        (count) => count > seen + 150,
        { what: "the new holder goes on beside the old one", timeoutMs: 60_000 },
      );
      const killed = writers.get(next.holder);
      killed?.kill("SIGKILL");
      current = await holderAfter(next.fence);
      writers.set(next.holder, start(next.holder));
    }
    const fences = writes.map(({ fence }) => fence);
    expect(fences).toEqual(fences.toSorted((a, b) => a - b));
    expect(new Set(fences).size).toBeGreaterThanOrEqual(7);
    expect(writes.length).toBeGreaterThan(450);
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
