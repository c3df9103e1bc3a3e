import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, route, service } from "../support/manifest.ts";
import { type Replicas, startReplicas } from "../support/replicas.ts";
import { Traffic } from "../support/traffic.ts";
import { addressOf, COUNTED, FleetHistory, SHRINKING } from "./fleet/history.ts";
import { FleetWriter, LEDGER } from "./fleet/writer.ts";

const PROXIES = 200;
const SHRINKING_BACKENDS = 150;
const STANDSTILL_MS = 30_000;
/** Writes between the end of a fault and the look at what it did. */
const WRITES = 20;

interface Outcome {
  /** Where a proxy was told something older than before. */
  readonly stepsBack: readonly string[];
  /** Requests through Envoy that got another answer than 200. */
  readonly failures: readonly unknown[];
}

const FINE: Outcome = { stepsBack: [], failures: [] };

describe("three planes on three nats-servers, 200 proxies and two Envoys under writes and traffic", () => {
  const disposables = new AsyncDisposableStack();
  let replicas: Replicas;
  let shop: Backend;
  let traffic: Traffic;
  let history: FleetHistory;
  let writer: FleetWriter;

  beforeAll(async () => {
    replicas = disposables.use(await startReplicas({ planes: 3, servers: 3 }));
    shop = disposables.use(await startBackend("shop"));
    const port = await freePort();
    const shrinking = Array.from({ length: SHRINKING_BACKENDS }, (_, i) =>
      backend(`${SHRINKING}/s-${i}`, addressOf(i)),
    );
    const to = (path: string, target: string) => ({ match: { path: { prefix: path } }, to: [{ service: target }] });
    const [first] = replicas.planes;
    await first?.mustApply(
      manifest(
        ...[fleet("edge"), listener("web", port), service("shop"), backend("shop/one", shop.address)],
        ...[service(COUNTED), backend(`${COUNTED}/only`, addressOf(0)), service(SHRINKING), service(LEDGER)],
        ...shrinking,
        route("all", [to(`/${COUNTED}`, COUNTED), to(`/${SHRINKING}`, SHRINKING), to("/", "shop")]),
      ),
    );
    await Promise.all(["edge-1", "edge-2"].map((nodeId) => replicas.startEnvoy(nodeId)));
    traffic = disposables.use(new Traffic({ url: `http://127.0.0.1:${port}/` }, 2));
    history = new FleetHistory({ size: PROXIES, planes: replicas.planes.map(({ addresses }) => addresses.xds) });
    disposables.defer(() => history.stop());
    const admins = replicas.planes.map(({ addresses }) => addresses.admin);
    writer = new FleetWriter({ planes: admins, shrinking: SHRINKING_BACKENDS });
    disposables.defer(() => writer.stop());
    await converged();
  });
  afterAll(() => disposables.disposeAsync());

  /** Lets writes go on for a while, then looks whether everybody ends at the last state and nothing was lost on the way. */
  async function converged({ away }: { readonly away?: number } = {}): Promise<Outcome> {
    const until = writer.written + WRITES;
    await eventually(
      () => writer.written,
      (written) => written >= until,
      { what: "writes go on", timeoutMs: 60_000 },
    );
    try {
      const state = await writer.pause();
      await eventually(
        () => history.at(state),
        (proxies) => proxies === PROXIES,
        {
          what: `all proxies are at count ${state.count}, ${state.left} left`,
          timeoutMs: 60_000,
          explain: () => `${history.summary()}\n${writer.failures.slice(-3).map(String).join("\n")}`,
        },
      );
      await eventually(
        () => writer.lost({ away }),
        (lost) => lost.length === 0,
        { what: "every acknowledged write is at every plane that runs", timeoutMs: 30_000 },
      );
    } finally {
      writer.resume();
    }
    await traffic.more(50);
    return { stepsBack: history.stepsBack, failures: traffic.failures() };
  }

  const planes = () => replicas.planes;
  const servers = () => replicas.nats.servers;

  test.each([0, 1, 2])("plane %i is killed in the middle of a push, and started again", async (i) => {
    await planes()[i]?.kill9();
    expect(await converged({ away: i })).toEqual(FINE);
    await planes()[i]?.restart();
    expect(await converged()).toEqual(FINE);
  });

  test.each([0, 1, 2])("nats-server %i is killed, and started again", async (i) => {
    await servers()[i]?.kill();
    expect(await converged()).toEqual(FINE);
    await servers()[i]?.restart();
    expect(await converged()).toEqual(FINE);
  });

  test("a plane stands still for half a minute, and goes on", async () => {
    const [plane] = planes();
    const outcomes = await standStill((signal) => process.kill(plane?.pid() ?? 0, signal), { away: 0 });
    expect(outcomes).toEqual([FINE, FINE]);
  });

  test("a nats-server stands still for half a minute, and goes on", async () => {
    const [server] = servers();
    expect(await standStill((signal) => server?.signal(signal))).toEqual([FINE, FINE]);
  });

  /** What came of it during the standstill, and after it. */
  async function standStill(
    signal: (signal: NodeJS.Signals) => void,
    options: { readonly away?: number } = {},
  ): Promise<Outcome[]> {
    const until = performance.now() + STANDSTILL_MS;
    signal("SIGSTOP");
    try {
      const during = await converged(options);
      await new Promise((resolve) => setTimeout(resolve, until - performance.now()));
      signal("SIGCONT");
      return [during, await converged()];
    } finally {
      signal("SIGCONT");
    }
  }

  test("a nats-server is told to leave (lame duck), and started again", async () => {
    const [, server] = servers();
    server?.signal("SIGUSR2");
    expect(await converged()).toEqual(FINE);
    await server?.kill();
    await server?.restart();
    expect(await converged()).toEqual(FINE);
  });

  test("all nats-servers are started again at once", async () => {
    await Promise.all(servers().map((server) => server.kill()));
    await traffic.more(200);
    await Promise.all(servers().map((server) => server.restart()));
    expect(await converged()).toEqual(FINE);
  });

  test("the planes are replaced one by one, then switched to another encoding profile", async () => {
    for (const plane of planes()) {
      expect(await plane.stop()).toBe(0);
      await plane.restart();
    }
    expect(await converged()).toEqual(FINE);
    const [first] = planes();
    expect(await first?.mustCli("upgrade")).toContain("encoding profile 1");
    await first?.mustCli("upgrade", "--to-profile", "2", "--wait");
    for (const plane of planes()) expect(await plane.mustCli("upgrade")).toContain("encoding profile 2");
    expect(await converged()).toEqual(FINE);
  });

  test("all planes are killed at once, and started again", async () => {
    await Promise.all(planes().map((plane) => plane.kill9()));
    await traffic.more(200);
    await Promise.all(planes().map((plane) => plane.restart()));
    expect(await converged()).toEqual(FINE);
  });
});
