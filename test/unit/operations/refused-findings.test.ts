import { expect, it } from "vitest";
import { refusedFindings } from "../../../src/operations/observing/refused-findings.ts";

const NOW = 1_000_000;

it("tells of messages that no plane says, for a while, and not of what happens by itself", () => {
  const refused = [
    { reason: "unsigned", count: 12, at: NOW - 1000 },
    { reason: "malformed", count: 1, at: NOW - 300_000 },
    { reason: "replayed", count: 1, at: NOW },
    { reason: "unproven", count: 1, at: NOW },
  ] as const;
  const found = refusedFindings(refused, NOW);
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ what: "messages to the replicas are refused", since: NOW - 1000 });
  expect(found[0]?.why).toMatch(/^12 without a valid seal: a plane of an older release/);
});
