import { describe, expect, it } from "vitest";
import { parseManifests } from "../../../src/cli/manifest.ts";
import { Backend_State, Health_Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { runAgainst } from "./fake-plane.ts";

const backend = (id: string) => ({
  name: `shop/${id}`,
  meta: { uid: "u", generation: 3n, version: "v", owner: "default" },
  target: { case: "address", value: "127.0.0.1:9001" },
  weight: 2,
  state: Backend_State.DRAINING,
  drainTime: { seconds: 1_700_000_000n },
  status: { eligible: false, reason: "draining", message: "draining" },
  conditions: [{ type: "Accepted", ok: true }],
});

const answers = { GetBackend: () => backend("shop-1"), ListBackends: () => ({ backends: [backend("shop-1")] }) };

describe("get", () => {
  it("prints one object as the API's JSON form, with what the plane knows of it", async () => {
    const run = await runAgainst(answers, ["get", "backend", "shop/shop-1", "-o", "json"]);
    expect(JSON.parse(run.stdout)).toMatchObject({
      name: "shop/shop-1",
      address: "127.0.0.1:9001",
      state: "DRAINING",
      meta: { generation: "3" },
    });
  });

  it("prints a list as an array, also with one object or none", async () => {
    const one = await runAgainst(answers, ["get", "backends", "-o", "json"]);
    expect(JSON.parse(one.stdout)).toMatchObject([{ name: "shop/shop-1" }]);
    const none = await runAgainst({ ListRoutes: () => ({}) }, ["get", "routes", "-o", "json"]);
    expect(JSON.parse(none.stdout)).toEqual([]);
  });

  it("prints YAML that can be applied again, without what only the plane sets", async () => {
    const run = await runAgainst(answers, ["get", "backend", "shop/shop-1", "-o", "yaml"]);
    expect(run.stdout).toBe("kind: Backend\nname: shop/shop-1\naddress: 127.0.0.1:9001\nweight: 2\n");
    expect(parseManifests([{ file: "x", text: run.stdout }]).problems).toEqual([]);
  });

  it("prints a list as several documents", async () => {
    const list = { ListBackends: () => ({ backends: [backend("shop-1"), backend("shop-2")] }) };
    const run = await runAgainst(list, ["get", "backend", "-o", "yaml"]);
    expect(parseManifests([{ file: "x", text: run.stdout }]).objects).toHaveLength(2);
  });

  it("prints a table without borders", async () => {
    const run = await runAgainst(answers, ["get", "backends"]);
    expect(run.stdout).toBe(
      [
        "NAME         TARGET          WEIGHT  LOCALITY  PRIORITY  STATE     ELIGIBLE  WHY",
        "shop/shop-1  127.0.0.1:9001  2       -         0         DRAINING  no        draining",
        "",
      ].join("\n"),
    );
  });

  it("follows the pages to their end", async () => {
    const pages = {
      ListFleets: ({ pageToken }: { pageToken: string }) =>
        pageToken === "" ? { fleets: [{ name: "a" }], nextPageToken: "2" } : { fleets: [{ name: "b" }] },
    };
    const run = await runAgainst(pages, ["get", "fleets", "-o", "json"]);
    expect(JSON.parse(run.stdout)).toMatchObject([{ name: "a" }, { name: "b" }]);
  });

  it("passes filters on", async () => {
    const run = await runAgainst(answers, ["get", "backends", "--service", "shop", "-l", "team=a", "-l", "tier=web"]);
    expect(run.calls).toMatchObject([{ request: { service: "shop", labels: { team: "a", tier: "web" } } }]);
  });

  it("tells of backends that an operator overruled who did, and until when", async () => {
    const health = { source: "override", actor: "cli:ann", reason: "disk full" };
    const status = (more: object) => ({ message: "unhealthy by override: disk full", health: { ...health, ...more } });
    const backends = [
      { name: "shop/a", status: status({ expireTime: { seconds: 3600n } }) },
      { name: "shop/b", status: status({ actor: "" }) },
      { name: "shop/c", status: { message: "HTTP 503", health: { source: "prober", expireTime: { seconds: 1n } } } },
    ];
    const verdicts = backends.map(({ name, status: { health: told } }) => ({ backend: name, ...told }));
    const answers = { ListBackends: () => ({ backends }), ListHealth: () => ({ health: verdicts }) };
    const endsOf = async (...argv: string[]) =>
      (await runAgainst(answers, argv)).stdout.split("\n").map((line) => line.split(/ {2,}/).at(-1));
    const [a, b] = ["disk full by cli:ann, until 1970-01-01 01:00:00 UTC", "disk full, until it is cleared"];
    expect(await endsOf("get", "backends")).toEqual([
      "WHY",
      `unhealthy by override: ${a}`,
      `unhealthy by override: ${b}`,
      "HTTP 503",
      "",
    ]);
    for (const argv of [["health"], ["get", "health"]])
      expect(await endsOf(...argv)).toEqual(["REASON", a, b, "-", ""]);
  });

  it("lists verdicts", async () => {
    const verdict = {
      backend: "shop/shop-1",
      source: "override",
      status: Health_Status.UNHEALTHY,
      reason: "disk full",
    };
    const run = await runAgainst({ ListHealth: () => ({ health: [verdict] }) }, ["get", "health"]);
    expect(run.stdout).toContain("shop/shop-1  override  UNHEALTHY  disk full");
  });
});

describe("delete", () => {
  it("deletes by the verb of the kind", async () => {
    const removed = { DeleteService: () => ({ revision: "1.5" }), UnregisterBackend: () => ({ revision: "1.6" }) };
    const service = await runAgainst(removed, ["delete", "service", "shop", "--force"]);
    expect(service.calls).toMatchObject([{ method: "DeleteService", request: { name: "shop", force: true } }]);
    const member = await runAgainst(removed, ["delete", "backend", "shop/shop-1"]);
    expect(member.calls).toMatchObject([{ method: "UnregisterBackend", request: { name: "shop/shop-1" } }]);
  });
});
