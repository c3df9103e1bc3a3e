/** Campaigns for a role and writes under its fencing token, again and again, until it is killed. Started by the test beside it. */

import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { newContainment } from "../support/containment.ts";

const [servers = "", replica = ""] = process.argv.slice(2);
const { state, lease } = await openNatsStore({
  servers: servers.split(","),
  bucket: "leases",
  replicas: 3,
  replica,
  leaseTtlMs: 3_000,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  containment: newContainment(),
});
let written = 0;
const always = new AbortController().signal;
for (;;) {
  const tenure = await lease.campaign("duty", always);
  const { fencingToken } = tenure;
  const value = new TextEncoder().encode(`${fencingToken.revision.position} ${replica}`);
  // It writes on after its tenure ended: nothing but the fencing token may stop it.
  for (let isHolder = true; isHolder; written++) {
    try {
      await state.commit({
        // A key of its own for each, so that whoever follows is told of every one.
        ops: [{ op: "put", key: `duty/${replica}-${process.pid}-${written}`, value }],
        cause: { actor: replica, operation: "-duty", reason: "", requestId: "" },
        guard: fencingToken,
      });
    } catch (error) {
      isHolder = !(error instanceof Error && "code" in error && error.code === "FENCED") && !tenure.ended.aborted;
    }
  }
  await tenure.resign();
}
