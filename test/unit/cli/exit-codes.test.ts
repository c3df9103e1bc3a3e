import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/main.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { planeError, runAgainst } from "./fake-plane.ts";

const failing = (code: number, reason: string) => ({
  GetStatus: () => {
    throw planeError(code, reason, "no");
  },
});

describe("exit codes", () => {
  it.each([
    ["an unknown command", ["statsu"]],
    ["an unknown option", ["status", "--nope"]],
    ["a missing argument", ["get"]],
    ["a missing option", ["apply"]],
    ["an unknown kind", ["get", "gadget"]],
    ["a backend without its service", ["register", "shop-1", "--address", "127.0.0.1:1"]],
    ["a duration that is none", ["apply", "-f", "-", "--timeout", "soon"]],
    ["an output form that does not exist", ["get", "services", "-o", "xml"]],
    ["a header that is none", ["explain", "request", "http://shop.example/", "-H", "x"]],
    ["an unknown option of a command within another", ["explain", "backend", "shop/a", "--nope"]],
    ["no command at all", []],
  ])("is 2 for %s", async (_, argv) => {
    const run = await runAgainst({}, argv);
    expect(run).toMatchObject({ code: 2, calls: [], stdout: "" });
    expect(run.stderr).not.toBe("");
  });

  it.each([
    [["get", "backends", "--service", ""]],
    [["--server", "", "status"]],
    [["apply", "-f", "-", "--owner", ""]],
    [["register", "shop/s1", "--address", ""]],
  ])("is 2 for an option that is given and empty: %j", async (argv) => {
    const run = await runAgainst({}, argv);
    expect(run).toMatchObject({ code: 2, calls: [], stdout: "" });
    expect(run.stderr).toMatch(/^--\w+ has no value: give it one/);
  });

  it("is 2 for a server that an empty variable names", async () => {
    const errors: string[] = [];
    const sink = { write: (text: string) => errors.push(text) };
    const io = { stdout: sink, stderr: sink, env: { FAIRLEAD_SERVER: "" }, clock: systemClock, isTty: false };
    expect(await runCli(["status"], io)).toBe(2);
    expect(errors.join("")).toContain("FAIRLEAD_SERVER must be HOST:PORT");
  });

  it.each([[["--help"]], [["apply", "--help"]], [["help", "register"]]])("is 0 for help: %j", async (argv) => {
    const run = await runAgainst({}, argv);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("Usage: fairlead");
  });

  it("is 1 for what the plane refuses", async () => {
    expect((await runAgainst(failing(status.FAILED_PRECONDITION, "IN_USE"), ["status"])).code).toBe(1);
  });

  it.each([
    ["what is not there", status.NOT_FOUND, "SERVICE_NOT_FOUND", 5],
    ["a conflict", status.ABORTED, "VERSION_MISMATCH", 6],
    ["a plane that says itself that it cannot serve", status.UNAVAILABLE, "STORE_UNREACHABLE", 6],
    ["a store that only a restore mends", status.UNAVAILABLE, "STORE_REPLACED", 1],
    ["a plane that has too much to do", status.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", 6],
    ["a request that is too large", status.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE", 1],
    ["a request that is wrong", status.INVALID_ARGUMENT, "INVALID_FIELD", 1],
    ["a bug of the plane", status.INTERNAL, "BUG", 1],
    ["silence", status.DEADLINE_EXCEEDED, "", 4],
  ])("tells %s", async (_, code, reason, exitCode) => {
    expect((await runAgainst(failing(code, reason), ["status"])).code).toBe(exitCode);
    const apply = { Apply: failing(code, reason).GetStatus };
    const stdin = "kind: Fleet\nname: a\n";
    expect((await runAgainst(apply, ["apply", "-f", "-"], { stdin })).code).toBe(exitCode);
  });

  it("is 1 with `status --check` when there is a problem, and 0 otherwise", async () => {
    const problem = { what: "node edge-7 is away", why: "no open stream" };
    expect((await runAgainst({ GetStatus: () => ({ problems: [problem] }) }, ["status", "--check"])).code).toBe(1);
    expect((await runAgainst({ GetStatus: () => ({ problems: [problem] }) }, ["status"])).code).toBe(0);
    expect((await runAgainst({ GetStatus: () => ({}) }, ["status", "--check"])).code).toBe(0);
    expect((await runAgainst({}, ["status", "--check", "--watch"])).code).toBe(2);
  });

  it("is 0 for the version, however it is asked for", async () => {
    const [first, ...others] = await Promise.all(
      [["version"], ["--version"], ["-V"]].map((argv) => runAgainst({}, argv)),
    );
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^fairlead \d+\.\d+\.\d+\n$/), calls: [] });
    expect(others).toEqual([first, first]);
  });
});
