import { describe, expect, it } from "vitest";
import { withLocalTimes } from "../../../src/cli/moment.ts";
import { allMethods, answering, COMMAND_LINES, MANIFEST } from "./every-command.ts";
import { planeError, runAgainst } from "./fake-plane.ts";

const SENTENCE = "it is so since 2026-11-20T18:57:24.000Z, as the plane says";
const LOCAL = /since 2026-11-20 19:57:24 (?:CET|GMT\+1), as/;
/** Every field in which a plane says something in its own words. */
const SENTENCES = ["summary", "text", "message", "why", "reason", "refusal", "held", "silent_reason", "ejection"];
const said = Object.fromEntries(SENTENCES.map((field) => [field, SENTENCE]));
/** A schema is for programs. */
const FOR_PEOPLE = COMMAND_LINES.filter((argv) => !argv.includes("json") && argv[0] !== "schema");
const RAW = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
const timeZone = "Europe/Vienna";

describe("times for people are those of where they are", () => {
  it.each(FOR_PEOPLE.map((argv) => ({ argv })))("in all that $argv prints", async ({ argv }) => {
    for (const columns of [undefined, 80]) {
      const options = { stdin: MANIFEST, timeZone, isTty: columns !== undefined, ...(columns && { columns }) };
      const { stdout, stderr } = await runAgainst(allMethods(answering("x", said)), argv, options);
      expect(stdout + stderr).not.toBe("");
      expect(stdout + stderr).not.toMatch(RAW);
    }
  });

  it("in what is refused, but not in data", async () => {
    const refuse = allMethods(() => {
      throw planeError(9, "SOME_REASON", SENTENCE);
    });
    expect((await runAgainst(refuse, ["status"], { timeZone })).stderr).toMatch(LOCAL);
    expect((await runAgainst(refuse, ["status", "-o", "json"], { timeZone })).stdout).toMatch(RAW);
    const filled = allMethods(answering("x", said));
    for (const argv of [
      ["status", "-o", "json"],
      ["explain", "node", "x", "-o", "json"],
      ["get", "services", "-o", "json"],
    ]) {
      const { stdout } = await runAgainst(filled, argv, { timeZone });
      expect(stdout).toContain(SENTENCE);
      if (argv[0] !== "explain") expect(stdout).toContain("1970-01-01T01:00:00Z");
    }
  });

  it("and what somebody wrote himself stays what it is", () => {
    for (const text of ['built "2026-11-20T18:57:24Z"', "built=2026-11-20T18:57:24Z", "a-2026-11-20T18:57:24Z-b"]) {
      expect(withLocalTimes(text, { timeZone })).toBe(text);
    }
    expect(withLocalTimes(SENTENCE, { timeZone })).toMatch(LOCAL);
    expect(withLocalTimes("at 2026-11-20T18:57:24Z.", {})).toBe("at 2026-11-20 18:57:24 UTC.");
    expect(withLocalTimes("at 2026-99-20T18:57:24Z", {})).toBe("at 2026-99-20T18:57:24Z");
  });
});
