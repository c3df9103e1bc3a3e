import { afterAll, beforeAll, expect, it } from "vitest";
import { openNatsStore } from "../../src/nats/open-nats-store.ts";
import { neededPermissions } from "../../src/nats/permissions.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/logger.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { newContainment } from "../support/containment.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { cause, put } from "./contract-store.ts";

const NEEDED = neededPermissions("guarded");
type Needed = (typeof NEEDED)[number];

/** A user that is allowed these and nothing else. */
function user(name: string, permissions: readonly Needed[]): string {
  const subjects = (operation: Needed["operation"]) =>
    JSON.stringify(permissions.filter((each) => each.operation === operation).map(({ subject }) => subject));
  const allowed = `{ publish: { allow: ${subjects("publish")} }, subscribe: { allow: ${subjects("subscribe")} } }`;
  return `{ user: ${name}, password: ${name}, permissions: ${allowed} }`;
}

const USERS = [
  "{ user: all, password: all }",
  user("enough", NEEDED),
  ...NEEDED.map((missing, i) =>
    user(
      `without-${i}`,
      NEEDED.filter((each) => each !== missing),
    ),
  ),
];

let cluster: NatsCluster;
beforeAll(async () => {
  const config = `accounts { A { jetstream: enabled, users: [ ${USERS.join(", ")} ] } }`;
  cluster = await startNats({ size: 1, config });
  const { state } = await open("all");
  await state.close();
});
afterAll(() => cluster?.stop());

function open(name: string) {
  return openNatsStore({
    servers: cluster.urls,
    bucket: "guarded",
    replicas: 1,
    replica: name,
    security: { user: name, pass: name },
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    containment: newContainment(),
  });
}

it("works with the permissions that it names and no others", async () => {
  const { state, journal, lease, peers } = await open("enough");
  const first = await state.commit({
    ops: [put("a", "1", { history: { generation: 1, keep: 3 } }), put("b", "1")],
    cause: cause({ operation: "test", requestId: "first" }),
  });
  await state.commit({ ops: [{ op: "delete", key: "b", guard: first.revision }], cause: cause({ operation: "test" }) });
  expect(await state.history("a")).toHaveLength(1);
  expect(await journal.findRequest("first")).toMatchObject({ requestId: "first" });
  expect(await journal.list({ limit: 5 })).toHaveLength(2);
  const tenure = await lease.campaign("role", new AbortController().signal);
  const revision = await state.barrier();
  peers.announce(() => ({ revision }));
  peers.answer("topic", async (question) => question);
  await tenure.resign();
  await state.close();
});

it.each(NEEDED.map(({ operation, subject }, i) => [operation, subject, i] as const))(
  "refuses a user that may not %s %s",
  async (operation, subject, i) => {
    await expect(open(`without-${i}`)).rejects.toMatchObject({
      kind: "precondition",
      code: "NATS_PERMISSION_MISSING",
      details: { operation, subject },
    });
  },
);
