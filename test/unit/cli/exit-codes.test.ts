import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../src/cli/main.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { refusal, runAgainst } from "./fake-plane.ts";

const failing = (code: number, reason: string) => ({
  GetStatus: () => {
    throw refusal(code, reason, "no");
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
    expect(run.stderr).toMatch(/^--\w+ is given, and empty/);
  });

  it("is 2 for a server that an empty variable names", async () => {
    const errors: string[] = [];
    const sink = { write: (text: string) => errors.push(text) };
    const io = { stdout: sink, stderr: sink, env: { FAIRLEAD_SERVER: "" }, clock: systemClock, isTty: false };
    expect(await runCli(["status"], io)).toBe(2);
    expect(errors.join("")).toContain("FAIRLEAD_SERVER is given, and empty");
  });

  it.each([[["--help"]], [["apply", "--help"]], [["help", "register"]]])("is 0 for help: %j", async (argv) => {
    const run = await runAgainst({}, argv);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain("Usage: fairlead");
  });

  it("is 1 for what the plane refuses", async () => {
    expect((await runAgainst(failing(status.FAILED_PRECONDITION, "IN_USE"), ["status"])).code).toBe(1);
  });

  it("is 1 when the plane says itself that it cannot serve", async () => {
    expect((await runAgainst(failing(status.UNAVAILABLE, "STORE_UNREACHABLE"), ["status"])).code).toBe(1);
  });

  it("is 0 for the version, however it is asked for", async () => {
    const [first, ...others] = await Promise.all(
      [["version"], ["--version"], ["-V"]].map((argv) => runAgainst({}, argv)),
    );
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^fairlead \d+\.\d+\.\d+\n$/), calls: [] });
    expect(others).toEqual([first, first]);
  });
});
