import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AdminClient, connectAdmin } from "../../src/cli/admin-client.ts";
import { printable } from "../../src/domain/printable.ts";
import { AdminService } from "../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { Health_Status } from "../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { RawClient } from "../protocol/xds/raw-client.ts";
import { eventually } from "../support/eventually.ts";
import {
  backend,
  fleet,
  listener,
  type ManifestObject,
  manifest,
  policy,
  route,
  service,
} from "../support/manifest.ts";
import { type Plane, startPlane } from "../support/plane.ts";
import { tempFolder } from "../support/temp-folder.ts";

let plane: Plane;
let admin: AdminClient;
const to = [{ service: "shop" }];

beforeAll(async () => {
  plane = await startPlane();
  admin = connectAdmin(plane.addresses.admin);
  await plane.mustApply(manifest(fleet("edge"), service("shop"), listener("web", 10_000)));
});

afterAll(async () => {
  admin.close();
  await plane[Symbol.asyncDispose]();
});

const checked = (healthCheck: object) => service("other", { healthCheck });

describe("a manifest that is wrong changes nothing and is told where and why", () => {
  const cases: readonly [what: string, object: ManifestObject, place: string][] = [
    ["an unknown field", { ...service("other"), protcol: "HTTP" }, "protcol"],
    [
      "an unknown field deep inside",
      route("r", [{ match: { path: { prefx: "/" } }, to }]),
      "rules[0].match.path.prefx",
    ],
    ["an unknown kind", { kind: "Servise", name: "other" }, "kind"],
    ["an unknown enum value", service("other", { protocol: "HTTP9" }), "protocol"],
    ["a name that is no DNS label", service("Other_Shop"), "name"],
    ["a port of 0", backend("shop/a", "127.0.0.1:0"), "address"],
    ["a port of 70000", backend("shop/a", "127.0.0.1:70000"), "address"],
    ["a host name for an address", backend("shop/a", "localhost:80"), "address"],
    ["weights that sum to 0", route("r", [{ to: [{ service: "shop", weight: 0 }] }]), "rules[0].to"],
    ["a rule given twice", route("r", [{ to }, { to }]), "rules[1]"],
    ["a listener's address twice in a fleet", listener("web-2", 10_000), "address"],
    [
      "a look-ahead, which RE2 has not",
      route("r", [{ match: { path: { regex: "/(?=a)b" } }, to }]),
      "rules[0].match.path.regex",
    ],
    ["hashing without a key", policy("shop", { algorithm: "RING_HASH" }), "hashOn"],
    ["a check shorter than its timeout", checked({ tcp: {}, interval: "1s", timeout: "2s" }), "healthCheck.interval"],
    ["a threshold of 0", checked({ tcp: {}, unhealthyThreshold: 0 }), "healthCheck.unhealthyThreshold"],
    ["a pattern that does not compile", checked({ http: { expectedBody: "(" } }), "healthCheck.http.expectedBody"],
    ["a path without a slash", checked({ http: { path: "healthz" } }), "healthCheck.http.path"],
    ["a weight out of range", backend("shop/a", "127.0.0.1:80", { weight: 1_000_001 }), "weight"],
  ];

  test.each(cases)("%s", async (_what, object, place) => {
    const before = await revision();
    // A good object beside the bad one: all or nothing.
    const result = await plane.apply(manifest(service("innocent"), object));
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(place);
    expect(result.stderr).toMatch(/:\d+:\d+/);
    expect(await revision()).toBe(before);
  });

  test("a misspelt field comes with the right one", async () => {
    const result = await plane.apply(manifest(route("r", [{ match: { path: { prefx: "/" } }, to }])));
    expect(result.stderr).toContain('did you mean "prefix"');
  });

  test("text that is no YAML", async () => {
    const before = await revision();
    const result = await plane.apply("kind: Service\nname: [shop\n");
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/:\d+:\d+/);
    expect(await revision()).toBe(before);
  });

  test("a manifest of 50 MB", async () => {
    using folder = tempFolder();
    const file = join(folder.path, "big.yaml");
    const comment = `# ${"x".repeat(1_021)}\n`;
    writeFileSync(file, comment.repeat(50 * 1_024) + manifest(service("other")));
    const before = await revision();
    const result = await plane.cli("apply", "-f", file);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/big\.yaml.*(?:large|big|MiB|bytes)/is);
    expect(await revision()).toBe(before);
  });

  test("a report of health on nobody, and one behind its own sequence", async () => {
    await plane.mustApply(manifest(backend("shop/a", "127.0.0.1:9001")));
    const report = (name: string, sequence: bigint) =>
      admin.call(AdminService.method.reportHealth, {
        health: {
          backend: name,
          source: "reporter:x",
          status: Health_Status.UNHEALTHY,
          reason: `at ${sequence}`,
          sequence,
        },
      });
    await report("shop/a", 7n);
    const before = await revision();
    await expect(report("shop/nobody", 8n)).rejects.toThrow("there is no backend shop/nobody");
    await expect(report("shop/a", 6n)).rejects.toThrow(
      /reporter:x has already reported observation 7 of shop\/a; 6 is not/,
    );
    expect(await revision()).toBe(before);
  });

  test("a bad object among many, refused by the plane itself", async () => {
    const before = await revision();
    const call = admin.call(AdminService.method.apply, {
      objects: [
        { object: { case: "service", value: { name: "innocent" } } },
        { object: { case: "service", value: { name: "-bad-" } } },
      ],
    });
    await expect(call).rejects.toMatchObject({ violations: [{ field: "objects[1].name" }] });
    expect(await revision()).toBe(before);
  });
});

describe("what a proxy says of itself is read as text", () => {
  const id = "edge-1\r\u001b[2K\u001b[32medge-7  edge  1.40.0  ack\u001b[0m\n\u202e\u009b31m";
  const refusal = "no such file\n  proxies    12 connected, 12 up to date\u001b[8m";

  test("in tables, in problems, in the log and in conditions", async () => {
    using client = new RawClient(plane.addresses.xds);
    const stream = client.delta();
    const typeUrl = "type.googleapis.com/envoy.config.listener.v3.Listener";
    stream.send({ typeUrl, node: { id, cluster: "edge" }, resourceNamesSubscribe: ["*"] });
    const { nonce } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce, errorDetail: { code: 13, message: refusal } });
    const status = await eventually(
      () => plane.mustCli("status"),
      (text) => text.includes("refused listener web"),
      { what: "the refusal is in the status" },
    );
    expect(status.match(/^ {2}proxies /gm)).toHaveLength(1);
    const shown = [status];
    for (const argv of [["nodes"], ["node", id], ["get", "listeners"], ["nodes", "-o", "json"]]) {
      shown.push(await plane.mustCli(...argv));
    }
    expect(shown[1]?.trimEnd().split("\n")).toHaveLength(2);
    expect(JSON.parse(shown[4] ?? "")).toMatchObject([{ id }]);
    const log = plane.log();
    expect(log).toContain(JSON.stringify(id).slice(1, 12));
    const problems = await admin.call(AdminService.method.getStatus, {});
    const { conditions } = await admin.call(AdminService.method.getListener, { name: "web" });
    const told = JSON.stringify([
      problems.problems.map(({ what, why }) => [what, why]),
      conditions.map((one) => one.message),
    ]);
    for (const text of [...shown, log, told]) {
      for (const line of text.split("\n")) expect(line).toBe(printable(line));
    }
    expect(told).toContain("12 up to date");
  });
});

async function revision(): Promise<string> {
  return (await admin.call(AdminService.method.getStatus, {})).revision;
}
