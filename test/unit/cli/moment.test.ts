import { describe, expect, it } from "vitest";
import { formatMoment, parseMoment } from "../../../src/cli/moment.ts";

const at = (iso: string) => Date.parse(iso);
const timestamp = (iso: string) =>
  ({ seconds: BigInt(at(iso) / 1000), nanos: 0 }) as Parameters<typeof formatMoment>[0];
const vienna = { timeZone: "Europe/Vienna" };

describe("moments", () => {
  it("are shown where the reader is, with the zone", () => {
    expect(formatMoment(timestamp("2026-11-20T23:57:24Z"), {})).toBe("2026-11-20 23:57:24 UTC");
    expect(formatMoment(timestamp("2026-11-20T23:57:24Z"), vienna)).toMatch(/^2026-11-21 00:57:24 (CET|GMT\+1)$/);
    expect(formatMoment(timestamp("2026-07-20T23:57:24Z"), vienna)).toMatch(/^2026-07-21 01:57:24 (CEST|GMT\+2)$/);
    expect(formatMoment(undefined, {})).toBe("-");
  });

  it.each([
    ["18:00", "2026-11-20T12:00:00Z", "2026-11-20T17:00:00Z"],
    ["18:00", "2026-11-20T17:00:00Z", "2026-11-21T17:00:00Z"],
    ["0:30:15", "2026-11-20T22:00:00Z", "2026-11-20T23:30:15Z"],
    // The clocks are put back in the night before, and forward in the other.
    ["09:00", "2026-10-24T20:00:00Z", "2026-10-25T08:00:00Z"],
    ["09:00", "2026-03-28T20:00:00Z", "2026-03-29T07:00:00Z"],
    ["2026-11-30T18:00", "2026-11-20T12:00:00Z", "2026-11-30T17:00:00Z"],
    ["2026-11-30 18:00:30", "2026-11-20T12:00:00Z", "2026-11-30T17:00:30Z"],
    ["2026-11-30T18:00Z", "2026-11-20T12:00:00Z", "2026-11-30T18:00:00Z"],
    ["2026-11-30T18:00-05:00", "2026-11-20T12:00:00Z", "2026-11-30T23:00:00Z"],
  ])("%s, read at %s in Vienna, is %s", (text, now, expected) => {
    expect(parseMoment(text, at(now), vienna)).toBe(at(expected));
  });

  it.each(["", "six", "25:00", "18:60", "18", "2026-11-31T25:00", "tomorrow 18:00", "1h"])("%j is none", (text) => {
    expect(parseMoment(text, 0, vienna)).toBeUndefined();
  });
});
