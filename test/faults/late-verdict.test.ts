import { connect, type Msg } from "@nats-io/transport-node";
import { expect, it } from "vitest";
import { storeKey } from "../../src/domain/name.ts";
import { workerOf } from "../../src/duties/assign.ts";
import { subjectsOf } from "../../src/nats/subjects.ts";
import { eventually } from "../support/eventually.ts";
import { backend, manifest, service } from "../support/manifest.ts";
import { administer, startNats } from "../support/nats.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { startTargets } from "../support/targets.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const CHECK = { http: { path: "/" }, interval: "1s", timeout: "0.5s", changingInterval: "0.5s" };
const WORKERS = ["plane-1", "plane-2"];
/** One that the second worker checks while there are both. */
const NAME = ["b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9"]
  .map((id) => `shop/${id}`)
  .find((name) => workerOf(name, { workers: WORKERS }) === "plane-2") as string;
const VERDICT = subjectsOf("fairlead").state(storeKey("health", `${NAME}/prober`));
/** "wrong last sequence": what a write expects of some key does not hold. */
const REFUSED = 10_071;

it("a verdict that arrives when its worker has lost its share is refused, though nobody wrote another", async () => {
  await using nats = await startNats({ size: 1 });
  await using wire = await startTcpProxy(Number(new URL(nats.urls[0] ?? "").port));
  // Whoever comes first shares the work out.
  await using leading = await startPlane({ nats: nats.urls, replica: "plane-1" });
  await using losing = await startPlane({ nats: [`nats://127.0.0.1:${wire.port}`], replica: "plane-2" });
  await using targets = await startTargets(1);
  const [target] = targets.all;
  if (target === undefined) throw new Error("no target");
  await leading.mustApply(manifest(service("shop", { healthCheck: CHECK }), backend(NAME, target.address)));
  await checkedBy(leading, "plane-2");
  const stored = () =>
    administer(nats, (api) => api.streams.getMessage("KV_fairlead", { last_by_subj: VERDICT })).then(
      (last) => last?.seq,
    );
  const healthy = await stored();

  const underWay = wire.hold(VERDICT);
  target.behaviour = "refuses";
  await underWay;
  process.kill(losing.pid(), "SIGSTOP");
  target.behaviour = "well";
  await checkedBy(leading, "plane-1");
  expect(await stored()).toBe(healthy);

  await using connection = await connect({ servers: [...nats.urls] });
  const heard: Msg[] = [];
  connection.subscribe(">", { callback: (_, message) => void heard.push(message) });
  await connection.flush();
  wire.mend();
  // Of a batch only the last message is answered.
  const batchId = (message: Msg | undefined) => message?.headers?.get("Nats-Batch-Id");
  const answer = await eventually(
    () => {
      const verdict = heard.find(({ subject }) => subject === VERDICT);
      const last = heard.find((each) => each.reply !== "" && batchId(each) === batchId(verdict));
      return heard.find(({ subject }) => subject === last?.reply)?.json<{ error?: { err_code: number } }>();
    },
    (found) => found !== undefined,
    { what: "the server answers the verdict" },
  );
  expect(answer?.error?.err_code).toBe(REFUSED);
  process.kill(losing.pid(), "SIGCONT");
  await checkedBy(leading, "plane-2");
  expect(await stored()).toBe(healthy);
});

async function checkedBy(plane: Plane, worker: string): Promise<void> {
  await eventually(
    () => plane.mustCli("explain", "backend", NAME),
    (text) => text.includes(`last checks by ${worker}: `) && text.includes(" healthy, seen by "),
    { what: `${worker} checks the backend` },
  );
}
