import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { containedFindings } from "../../../src/operations/observing/contained-findings.ts";
import { Containment } from "../../../src/runtime/containment.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function containment() {
  const clock = new FakeClock();
  const registry = new Registry();
  return { clock, registry, boundary: new Containment({ clock, log: silentLogger, registry }) };
}

test("what is thrown or rejected ends at the boundary, and is counted by source", async () => {
  const { boundary, registry } = containment();
  boundary.contain("probe", "backend shop/s1", () => {
    throw new Error("invalid authority");
  });
  boundary.contain("probe", "backend shop/s2", async () => {
    throw new Error("later");
  });
  boundary.contain("peer", "replica b", () => "fine");
  await Promise.resolve();
  const text = await registry.metrics();
  expect(text).toContain('fairlead_contained_failures_total{source="probe"} 2');
  expect(text).toContain('fairlead_contained_failures_total{source="peer"} 0');
  expect(boundary.failures()).toMatchObject([
    { source: "probe", input: "backend shop/s2", message: "later", count: 2 },
  ]);
});

test("status shows it for an hour, on one line", async () => {
  const { boundary, clock } = containment();
  boundary.note("peer", "replica \u001b[2Jb", new Error("line\nline"));
  expect(containedFindings(boundary.failures(), clock.now())).toEqual([
    {
      what: "peer input failed: replica \\x1b[2Jb",
      since: clock.now(),
      why: "line\\nline; contained; count since the plane started: 1",
    },
  ]);
  await clock.advance(3_600_000);
  expect(containedFindings(boundary.failures(), clock.now())).toEqual([]);
});
