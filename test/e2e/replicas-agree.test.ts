import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Backend, startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { backend, fleet, listener, manifest, routeTo, service } from "../support/manifest.ts";
import type { Plane } from "../support/plane.ts";
import { type Replicas, startReplicas } from "../support/replicas.ts";

interface NodeJson {
  readonly id: string;
  readonly connected?: boolean;
  readonly replica: string;
  readonly lagMs?: string;
  readonly revision?: string;
}

let one: Backend;
let replicas: Replicas;
let planes: readonly [Plane, Plane, Plane];

beforeAll(async () => {
  one = await startBackend("one");
  replicas = await startReplicas({ planes: 3, servers: 1 });
  planes = replicas.planes as unknown as typeof planes;
  const objects = [fleet("edge"), listener("web", await freePort()), service("shop"), backend("shop/one", one.address)];
  await planes[0].mustApply(manifest(...objects, routeTo("shop")));
  await replicas.startEnvoy("edge-1");
});

afterAll(async () => {
  await replicas?.[Symbol.asyncDispose]();
  await one?.[Symbol.asyncDispose]();
});

/** Without the revision, which ticks move on from one question to the next. */
const nodesOf = async (plane: Plane): Promise<readonly NodeJson[]> =>
  (JSON.parse(await plane.mustCli("nodes", "-o", "json")) as NodeJson[]).map((node) => ({ ...node, revision: "" }));

describe("three replicas", () => {
  it("answer alike about the proxies, whichever is asked", async () => {
    await replicas.planeOf("edge-1");
    const [first, ...others] = await Promise.all(planes.map(nodesOf));
    expect(first).toMatchObject([{ id: "edge-1", connected: true }]);
    for (const other of others) expect(other).toEqual(first);
    const explained = await Promise.all(
      planes.map(async (plane) => JSON.parse(await plane.mustCli("explain", "backend", "shop/one", "-o", "json"))),
    );
    for (const answer of explained) expect(answer).toMatchObject({ proxies: 1, acknowledged: 1 });
    for (const plane of planes) {
      expect(JSON.parse(await plane.mustCli("status", "-o", "json"))).toMatchObject({
        proxiesConnected: 1,
        replicas: [
          { name: "plane-1", live: true },
          { name: "plane-2", live: true },
          { name: "plane-3", live: true },
        ],
      });
    }
  });

  it("wait for proxies wherever they are connected", async () => {
    for (const [i, plane] of planes.entries()) {
      const done = await plane.mustCli(
        "register",
        "shop/one",
        "--address",
        one.address,
        "--weight",
        `${i + 2}`,
        "--wait",
      );
      expect(done).toContain("acknowledged by 1 of 1 proxies");
    }
  });

  it("say of a replica that stands still that it is unknown, and wait for it", async () => {
    const serving = await replicas.planeOf("edge-1");
    const asked = planes.find((plane) => plane !== serving) ?? serving;
    const name = `plane-${planes.indexOf(serving) + 1}`;
    process.kill(serving.pid(), "SIGSTOP");
    try {
      await eventually(
        async () => (await asked.mustCli("status")).includes(`${name} silent`),
        (silent) => silent,
        { what: "its silence is noticed" },
      );
      expect((await asked.cli("nodes")).stderr).toContain(`replica ${name} has been silent for`);
      const args = ["register", "shop/one", "--address", one.address, "--weight", "9", "--wait", "--timeout", "1500ms"];
      const waited = await asked.cli(...args);
      expect(waited).toMatchObject({ code: 3 });
      expect(waited.stderr).toContain(`replica ${name} has been silent for`);
    } finally {
      process.kill(serving.pid(), "SIGCONT");
    }
    expect(await asked.mustCli("register", "shop/one", "--address", one.address, "--weight", "10", "--wait")).toContain(
      "acknowledged by 1 of 1 proxies",
    );
  });
});
