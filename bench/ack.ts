/** How long a change of one endpoint takes until a real Envoy has acknowledged it. */
import { parseArgs } from "node:util";
import { AdminService } from "../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status } from "../src/gen/fairlead/admin/v1/backend_pb.ts";
import { backend, routeTo, service } from "../test/support/manifest.ts";
import { startStack } from "../test/support/stack.ts";
import type { BenchReport } from "./report.ts";

export async function runAckBench(args: readonly string[]): Promise<BenchReport> {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: "string", default: "500" }, backends: { type: "string", default: "10" } },
  });
  const rounds = Number(values.rounds);
  const count = Number(values.backends);
  // Nobody listens there: what is measured is the way of the change, not of requests.
  const members = Array.from({ length: count }, (_, index) =>
    backend(`shop/b-${index}`, `127.0.0.1:${20_000 + index}`),
  );
  await using stack = await startStack({ objects: [service("shop"), ...members, routeTo("shop")] });

  const written: number[] = [];
  const acknowledged: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const status = round % 2 === 0 ? Health_Status.UNHEALTHY : Health_Status.HEALTHY;
    const startedAt = performance.now();
    const { revision } = await stack.admin.call(AdminService.method.reportHealth, {
      health: { backend: "shop/b-0", source: "reporter:bench", status, reason: "bench" },
    });
    const writtenAt = performance.now();
    await stack.acknowledged(revision);
    if (round < 0) continue;
    written.push(writtenAt - startedAt);
    acknowledged.push(performance.now() - startedAt);
  }
  return {
    name: "ack",
    setting: { envoy: stack.envoy.version, backends: count },
    rows: [
      { what: "ReportHealth until it is written", samplesMs: written },
      { what: "ReportHealth until Envoy's ACK, both calls included", samplesMs: acknowledged, promisedP99Ms: 50 },
    ],
  };
}

const WARM_UP_ROUNDS = 50;
