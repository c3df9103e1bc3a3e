import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { NO_DAMPING } from "../../../src/domain/damping.ts";
import type { Verdict } from "../../../src/domain/health-verdict.ts";
import { verdictMessage } from "../../../src/health/verdict-message.ts";

const verdict = (status: Verdict["status"], reason: string, observedAt: number): Verdict => ({
  status,
  reason,
  inRow: 3,
  observedAt,
  lastGoodAt: undefined,
  damping: NO_DAMPING,
});
const origin = { backend: "shop/1", backendUid: "u1", observer: "a", fence: 1n, sequence: 1n };

test("another reason is no other state: since when a backend is unhealthy stays", () => {
  const first = verdictMessage(verdict("UNHEALTHY", "HTTP 500", 1000), origin, undefined, "v");
  const again = verdictMessage(verdict("UNHEALTHY", "connection refused", 9000), origin, first, "w");
  expect(again).toMatchObject({ reason: "connection refused", observeTime: timestampFromMs(9000) });
  expect(again.meta).toMatchObject({ uid: "v", generation: 2n, updateTime: timestampFromMs(1000) });
});

test.each([
  ["another status", verdict("HEALTHY", "HTTP 200", 9000), origin],
  ["another backend of the name", verdict("UNHEALTHY", "HTTP 500", 9000), { ...origin, backendUid: "u2" }],
])("%s begins anew", (_, after, by) => {
  const first = verdictMessage(verdict("UNHEALTHY", "HTTP 500", 1000), origin, undefined, "v");
  expect(verdictMessage(after, by, first, "w").meta?.updateTime).toEqual(timestampFromMs(9000));
});
