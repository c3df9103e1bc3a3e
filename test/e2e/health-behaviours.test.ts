/** A plane checks thousands of backends in one process, each on a port of its own, and sees what each of them does. */
import { expect, test } from "vitest";
import { connectAdmin } from "../../src/cli/admin-client.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { type Health, Health_Status as Status } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { eventually } from "../support/eventually.ts";
import { backend, manifest, service } from "../support/manifest.ts";
import { startPlane } from "../support/plane.ts";
import { type Behaviour, startTargets } from "../support/targets.ts";

const COUNT = 2000;
const CHECK = {
  http: { path: "/healthz", expectedBody: '"status":"up"' },
  interval: "3s",
  timeout: "1s",
  unhealthyThreshold: 2,
};
/** What is seen of each; nothing: it stays healthy. */
const SEEN: Readonly<Record<Behaviour, string | undefined>> = {
  well: undefined,
  slow: undefined,
  hangs: "timeout after 1000 ms",
  resets: "connection reset",
  closes: "connection closed without an answer",
  refuses: "HTTP 503",
  lies: "HTTP 200, but the body does not match",
  smtp: "the answer is not HTTP/1.1",
};

test("two thousand backends that behave well and badly", async () => {
  await using targets = await startTargets(COUNT);
  await using plane = await startPlane();
  const admin = connectAdmin(plane.addresses.admin);
  const names = targets.all.map((_, i) => `service-${Math.floor(i / 200)}/b-${i}`);
  const verdicts = async () => {
    const found = new Map<string, Health>();
    let pageToken = "";
    do {
      const page = await admin.call(AdminService.method.listHealth, { pageSize: 1000, pageToken });
      for (const health of page.health) found.set(health.backend, health);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return found;
  };
  const until = (
    what: string,
    wanted: (name: string, i: number) => readonly [status: Status, reason: RegExp | string],
  ) =>
    eventually(
      async () => {
        const found = await verdicts();
        return names.flatMap((name, i) => {
          const [status, reason] = wanted(name, i);
          const health = found.get(name);
          const fits = health?.status === status && health.reason === reason;
          return fits ? [] : [`${name} ${targets.all[i]?.behaviour}: ${health?.status} ${health?.reason}`];
        });
      },
      (others) => others.length === 0,
      { what, timeoutMs: 60_000, everyMs: 500 },
    );
  const everyoneHealthy = () => until("every backend is healthy", () => [Status.HEALTHY, "HTTP 200"]);

  const members = targets.all.map(({ address }, i) => backend(names[i] ?? "", address));
  const services = Array.from({ length: COUNT / 200 }, (_, i) => service(`service-${i}`, { healthCheck: CHECK }));
  for (let first = 0; first < COUNT; first += 200) {
    const [own] = services.splice(0, 1);
    if (own !== undefined) await plane.mustApply(manifest(own, ...members.slice(first, first + 200)));
  }
  await everyoneHealthy();

  const behaviours = Object.keys(SEEN) as Behaviour[];
  for (const [i, target] of targets.all.entries()) target.behaviour = behaviours[i % behaviours.length] ?? "well";
  await until("each verdict says what the backend does", (_, i) => {
    const seen = SEEN[targets.all[i]?.behaviour ?? "well"];
    return seen === undefined ? [Status.HEALTHY, "HTTP 200"] : [Status.UNHEALTHY, seen];
  });
  expect(await plane.mustCli("status")).not.toContain("mass failure");

  for (const target of targets.all) target.behaviour = "well";
  await everyoneHealthy();
  admin.close();
});
