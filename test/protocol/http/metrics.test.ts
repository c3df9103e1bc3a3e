import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { providePromtool } from "../../../scripts/components/promtool.ts";
import { countMirror } from "../../../src/nats/store-metrics.ts";
import { noPeers } from "../../../src/store/peers.ts";
import { type Plane, startPlane } from "../../support/plane.ts";
import { metricOf, problemsOf } from "../../support/plane-health.ts";

const docs = join(import.meta.dirname, "../../../docs");
const alerts = join(docs, "alerts.yaml");
const run = promisify(execFile);

let plane: Plane;
let metrics = "";

beforeAll(async () => {
  plane = await startPlane();
  await plane.mustApply(`kind: Fleet
name: edge
---
kind: Service
name: shop
healthCheck: { tcp: {} }
`);
  // What there is on NATS only.
  const registry = new Registry();
  const mirrorStatus = () => ({ lag: 0, silentMs: 0, reopens: 0, repairs: 0, failure: undefined, frozen: undefined });
  countMirror(registry, { mirrorStatus, peers: noPeers });
  const scraped = await fetch(`http://${plane.addresses.http}/metrics`);
  metrics = (await scraped.text()) + (await registry.metrics());
}, 60_000);
afterAll(() => plane[Symbol.asyncDispose]());

const isOurs = (name: string) => name.startsWith("fairlead_");
const shown = () => Array.from(metrics.matchAll(/^# TYPE (\S+)/gm), ([, name = ""]) => name);

/** The metrics that the tables of the pages list, with their labels. */
function documented(): Map<string, string[]> {
  const pages = ["operating.md", "health.md"].map((page) => readFileSync(join(docs, page), "utf8"));
  const cells = pages.flatMap((page) =>
    Array.from(page.matchAll(/^\| (`fairlead_[^|]*)\|/gm), ([, cell = ""]) => cell),
  );
  const named = cells.flatMap((cell) => [...cell.matchAll(/`(fairlead_\w+)(?:\{([\w,]*)\})?`/g)]);
  return new Map(named.map(([, name = "", labels = ""]) => [name, labels.split(",").filter((label) => label !== "")]));
}

test("promtool finds nothing to object to in names, units, types and help texts", async () => {
  const { path } = providePromtool(() => undefined);
  expect(await promtool(path, ["check", "metrics"], metrics)).toEqual({ code: 0, said: "" });
  const wrong = "# TYPE a_total gauge\na_total 1\n";
  expect(await promtool(path, ["check", "metrics"], wrong)).toMatchObject({ said: expect.stringContaining("_total") });
});

test("the rules of the example are right, and speak of metrics that there are", async () => {
  const { path } = providePromtool(() => undefined);
  await run(path, ["check", "rules", alerts]);
  const expressions = readFileSync(alerts, "utf8").matchAll(/\bfairlead_\w+/g);
  const names = Array.from(expressions, ([name]) => name.replace(/_bucket$/, ""));
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !shown().includes(name))).toEqual([]);
});

test("each metric stands in the pages, and each metric of the pages is there, with its labels", () => {
  const ours = shown().filter(isOurs);
  expect([...documented().keys()].toSorted()).toEqual(ours.toSorted());
  for (const [name, labels] of documented()) {
    const series = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, "m").exec(metrics);
    // Nothing is held back here.
    if (name === "fairlead_held_resources") continue;
    const found = Array.from((series?.[1] ?? "").matchAll(/(\w+)="/g), ([, label]) => label);
    expect([name, series !== null, new Set(found)]).toEqual([name, true, new Set(labels)]);
  }
});

test("what is wrong now is what the status lists, and the plane says what it is", async () => {
  const lines = metrics.split("\n").filter((line) => /^fairlead_problems\{.* [1-9]/.test(line));
  expect(lines).toEqual(['fairlead_problems{kind="service",severity="down"} 1']);
  expect((await problemsOf(plane)).map(({ what }) => what)).toEqual(["service shop is DOWN"]);
  expect(metrics).toMatch(/^fairlead_build_info\{version="\d[^"]*",replica="[^"]+",store="embedded"\} 1$/m);
  expect(await metricOf(plane, "fairlead_duty_holder")).toBe(1);
  expect(await metricOf(plane, "fairlead_encoding_profile")).toBeGreaterThan(0);
  const startedAt = await metricOf(plane, "process_start_time_seconds");
  expect(Math.abs(Date.now() / 1000 - startedAt)).toBeLessThan(300);
});

async function promtool(path: string, args: string[], input: string): Promise<{ code: number; said: string }> {
  const running = run(path, args);
  running.child.stdin?.end(input);
  return await running.then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, said: stdout + stderr }),
  );
}
