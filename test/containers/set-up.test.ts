import { beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { SERVERS, type SetUp } from "../support/set-up/set-up.ts";
import { formsOfSetUp } from "../support/set-up/start.ts";
import { send, Traffic, tally } from "../support/traffic.ts";

describe.each(Object.entries(formsOfSetUp()))("three NATS servers, two planes and two Envoys, %s", (_form, start) => {
  let setUp: SetUp;

  beforeAll(async () => {
    setUp = await start();
    return () => setUp[Symbol.asyncDispose]();
  });

  const must = async (plane: "plane-a" | "plane-b", args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await setUp.cli(plane, args, input);
    if (code !== 0) throw new Error(`fairlead ${args.join(" ")} exits with ${code}: ${stderr}\n${setUp.logs()}`);
    return stdout;
  };
  /** A plane that has just started, or whose store is just electing, needs a moment. */
  const mustSoon = (plane: "plane-a" | "plane-b", args: readonly string[], input?: string) =>
    eventually(
      () => must(plane, args, input),
      () => true,
      { what: `fairlead ${args.join(" ")} at ${plane}`, timeoutMs: 60_000, everyMs: 500 },
    );
  const traffic = () => setUp.urls.map((url) => new Traffic({ url }, 2));
  const stop = async (all: readonly Traffic[]) => {
    await Promise.all(all.map((each) => each.stop()));
    return all.flatMap((each) => each.failures());
  };

  test("what is applied at one plane is acknowledged by the proxies of both, and serves", async () => {
    await mustSoon("plane-a", ["status"]);
    await must("plane-a", ["apply", "-f", "-"], setUp.shop);
    for (const url of setUp.urls) {
      await eventually(
        async () => (await send({ url })).status,
        (status) => status === 200,
        { what: `${url} serves`, timeoutMs: 60_000, explain: () => setUp.logs() },
      );
    }
    for (const plane of ["plane-a", "plane-b"] as const) {
      const status: unknown = JSON.parse(await mustSoon(plane, ["status", "-o", "json"]));
      expect(status).toMatchObject({ store: "nats", storeCopies: 3, backends: 2, backendsEligible: 2 });
      const nodes = JSON.parse(await must(plane, ["nodes", "-o", "json"])) as { id: string; connected?: boolean }[];
      expect(nodes.filter(({ connected }) => connected).map(({ id }) => id)).toEqual(["edge-1", "edge-2"]);
    }
  });

  test("a backend that drains leaves without a failed request", async () => {
    const running = traffic();
    await Promise.all(running.map((each) => each.more(50)));
    await must("plane-b", ["drain", "shop/shop-1", "--wait", "--timeout", "60s"]);
    const after = await Promise.all(running.map((each) => each.more(50)));
    expect(Object.keys(tally(after.flat()))).toEqual(["shop-2"]);
    await must("plane-a", ["apply", "-f", "-", "--wait"], setUp.shop);
    expect(await stop(running)).toEqual([]);
  });

  test.each(SERVERS)("killing %s costs no request and no write that was acknowledged", async (server) => {
    const running = traffic();
    await Promise.all(running.map((each) => each.more(20)));
    await setUp.kill(server);
    const weight = 2 + SERVERS.indexOf(server);
    const register = ["register", "shop/shop-1", "--address", addressOf(setUp.shop), "--weight", String(weight)];
    await mustSoon("plane-a", register);
    await setUp.start(server);
    // The other plane hears of it by the log, which may be silent for some seconds after such a loss.
    await eventually(
      async () =>
        JSON.parse(await must("plane-b", ["get", "backend", "shop/shop-1", "-o", "json"])) as { weight: number },
      (written) => written.weight === weight,
      { what: `plane-b has the weight ${weight}`, timeoutMs: 30_000, everyMs: 200, explain: () => setUp.logs() },
    );
    await Promise.all(running.map((each) => each.more(20)));
    expect(await stop(running)).toEqual([]);
  });

  test("the proxies of a plane that is killed go on at the other one", async () => {
    const running = traffic();
    await Promise.all(running.map((each) => each.more(20)));
    await setUp.kill("plane-a");
    await mustSoon("plane-b", ["health", "shop/shop-2", "--override", "unhealthy", "--for", "10m"]);
    await eventually(
      async () => Object.keys(tally((await Promise.all(running.map((each) => each.more(20)))).flat())),
      (served) => served.join() === "shop-1",
      { what: "only shop-1 is sent requests", timeoutMs: 60_000, explain: () => setUp.logs() },
    );
    await setUp.start("plane-a");
    await mustSoon("plane-a", ["health", "shop/shop-2", "--clear"]);
    expect(await stop(running)).toEqual([]);
  });
});

function addressOf(shop: string): string {
  return /name: shop\/shop-1\naddress: (\S+)/.exec(shop)?.[1] ?? "";
}
