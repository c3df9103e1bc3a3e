import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { Change_Action } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { WaitForRevisionResponse_Outcome } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { planeError, runAgainst } from "./fake-plane.ts";

const MANIFEST = "kind: Fleet\nname: edge\n";
const ROUTE_CHANGE = { kind: "route", name: "shop", action: Change_Action.UPDATE };

/** Each command that writes, with the method that it calls and an answer that says that something changes. */
const WRITES: readonly [string, string, object][] = [
  ["register shop/s1 --address 10.0.0.1:80", "RegisterBackend", { backend: { name: "shop/s1" } }],
  ["unregister shop/s1", "UnregisterBackend", {}],
  ["drain shop/s1", "DrainBackend", { backend: { name: "shop/s1" } }],
  ["drain shop/s1 --undo", "DrainBackend", { backend: { name: "shop/s1" } }],
  ["delete route shop", "DeleteRoute", {}],
  ["delete policy p", "DeletePolicy", {}],
  ["delete backend shop/s1", "UnregisterBackend", {}],
  ["delete record projects/default/services/shop", "DeleteRecord", {}],
  ["rollback route shop --to 3", "Rollback", { change: ROUTE_CHANGE }],
  ["rollback --revision 1.6", "RollbackRevision", { changes: [ROUTE_CHANGE] }],
  ["health shop/s1 --override unhealthy", "ReportHealth", { changed: true }],
  ["health shop/s1 --clear", "ClearHealth", {}],
  ["upgrade --to-profile 2", "SetEncodingProfile", { previousProfile: 1 }],
  ["import -", "Import", { changes: [{ kind: "fleet", name: "edge", action: Change_Action.CREATE }] }],
  ["apply -f -", "Apply", { changes: [{ kind: "fleet", name: "edge", action: Change_Action.CREATE }] }],
];
/** What `register --wait` waits for first. */
const ELIGIBLE = {
  GetBackend: () => ({ name: "shop/s1", status: { eligible: true } }),
  ExplainBackend: () => ({ backend: { name: "shop/s1", status: { eligible: true } }, revision: "1.7" }),
};
const REMOVALS = WRITES.filter(([line]) => /^(unregister|drain|delete|health.*clear)/.test(line));

const run = (line: string, answers: Readonly<Record<string, () => unknown>>, ...more: readonly string[]) =>
  runAgainst(answers, [...line.split(" "), ...more], { stdin: MANIFEST });

describe("every command that writes", () => {
  it.each(WRITES)(
    "%s: takes a dry run and a reason, and does not wait for what it did not do",
    async (line, method, answer) => {
      const flags = ["--dry-run", "--wait", "--reason", "a test"];
      const dry = await run(line, { [method]: () => answer }, ...flags);
      expect(dry, dry.stderr).toMatchObject({ code: 0, stderr: "" });
      expect(dry.calls).toMatchObject([{ method, request: { options: { validateOnly: true, reason: "a test" } } }]);
      expect(dry.stdout).not.toContain("revision ");
      expect((await run(line, { [method]: () => answer }, ...flags, "--detailed-exitcode")).code).toBe(10);
      expect((await run(line, {}, "--detailed-exitcode")).code).toBe(2);
    },
  );

  it.each(WRITES)("%s: says in one document what it did, and how the wait ended", async (line, method, answer) => {
    const { REACHED } = WaitForRevisionResponse_Outcome;
    const WaitForRevision = () => [{ outcome: REACHED, total: 2, done: 2, revision: "1.7" }];
    if (line === "drain shop/s1") return;
    const done = await run(
      line,
      { ...ELIGIBLE, [method]: () => ({ ...answer, revision: "1.7" }), WaitForRevision },
      "--wait",
      "-o",
      "json",
    );
    expect(done, done.stderr).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(done.stdout)).toMatchObject({
      revision: "1.7",
      wait: { outcome: "REACHED", total: 2, pending: [] },
    });
  });

  it.each(WRITES)("%s: says in one document why it was refused", async (line, method) => {
    const refuse = () => {
      throw planeError(status.ABORTED, "VERSION_MISMATCH", "somebody was first");
    };
    const refused = await run(line, { [method]: refuse }, "-o", "json");
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain("somebody was first");
    expect(JSON.parse(refused.stdout)).toEqual({
      error: { exitCode: 6, reason: "VERSION_MISMATCH", message: refused.stderr.trimEnd() },
    });
  });

  it.each(REMOVALS)(
    "%s: is fine with --ignore-missing when it is not there, and exits with 5 without",
    async (line, method) => {
      const missing = (reason: string, code: number = status.NOT_FOUND) => ({
        [method]: () => {
          throw planeError(code, reason, "there is no such thing");
        },
      });
      expect((await run(line, missing("BACKEND_NOT_FOUND"))).code).toBe(5);
      const ignored = await run(line, missing("BACKEND_NOT_FOUND"), "--ignore-missing");
      expect(ignored).toMatchObject({ code: 0, stdout: "  there is no such thing: nothing to do\n" });
      expect((await run(line, missing("IN_USE", status.FAILED_PRECONDITION), "--ignore-missing")).code).toBe(1);
    },
  );

  it.each(REMOVALS)(
    "%s: repeated with --ignore-missing --wait, waits for the proxies that the first try waited for in vain",
    async (line, method) => {
      const { TIMED_OUT } = WaitForRevisionResponse_Outcome;
      const again = (...more: readonly string[]) =>
        run(
          line,
          {
            [method]: () => {
              throw planeError(status.NOT_FOUND, "BACKEND_NOT_FOUND", "there is no such thing");
            },
            WaitForRevision: () => [{ outcome: TIMED_OUT, total: 1, pending: [{ id: "edge-7", state: "sent" }] }],
          },
          ...["--ignore-missing", "--wait", ...more],
        );
      const late = await again("-o", "json");
      expect(late.code).toBe(3);
      expect(late.calls.at(-1)).toMatchObject({ method: "WaitForRevision", request: { revision: "" } });
      expect(JSON.parse(late.stdout)).toMatchObject({ missing: true, wait: { pending: [{ id: "edge-7" }] } });
      expect((await again("--dry-run")).code).toBe(0);
    },
  );

  it("a dry run that changes nothing exits with 0", async () => {
    const flags = ["--dry-run", "--detailed-exitcode"];
    expect((await run("apply -f -", { Apply: () => ({ changes: [] }) }, ...flags)).code).toBe(0);
    expect((await run("drain shop/s1", { DrainBackend: () => ({ revision: "1.7" }) }, ...flags)).code).toBe(0);
  });
});

describe("-o json", () => {
  it("tells wrong usage as one document too", async () => {
    for (const argv of [
      ["status", "--nope", "-o", "json"],
      ["get", "gadget", "--output=json"],
      ["apply", "-o", "json"],
    ]) {
      const { code, stdout } = await runAgainst({}, argv);
      expect(code).toBe(2);
      expect(JSON.parse(stdout)).toMatchObject({ error: { exitCode: 2, reason: "" } });
    }
  });

  it("keeps what was done beside why the wait failed", async () => {
    const { TIMED_OUT } = WaitForRevisionResponse_Outcome;
    const WaitForRevision = () => [
      { outcome: TIMED_OUT, total: 2, done: 1, pending: [{ id: "edge-7", state: "sent" }] },
    ];
    const late = await run(
      "unregister shop/s1",
      { UnregisterBackend: () => ({ revision: "1.7" }), WaitForRevision },
      "--wait",
      "-o",
      "json",
    );
    expect(late.code).toBe(3);
    expect(JSON.parse(late.stdout)).toMatchObject({
      revision: "1.7",
      wait: { outcome: "TIMED_OUT", pending: [{ id: "edge-7", state: "sent", message: "" }] },
      error: { exitCode: 3 },
    });
  });
});

describe("an error", () => {
  it.each([
    ["delete service shop", "DeleteService", "STILL_REFERRED_TO", "--force"],
    ["apply -f - --prune", "Apply", "STILL_REFERRED_TO", "--allow-removal"],
    ["apply -f -", "Apply", "REMOVAL_TOO_LARGE", "--allow-removal"],
    ["apply -f -", "Apply", "BATCH_TOO_LARGE", "in parts"],
    ["drain shop/s1", "DrainBackend", "NO_BACKEND_LEFT", "--allow-removal"],
    ["unregister shop/s1", "UnregisterBackend", "NO_BACKEND_LEFT", "--allow-removal"],
    ["delete backend shop/s1", "UnregisterBackend", "NO_BACKEND_LEFT", "--force"],
  ])("of %s by %s / %s says: %s", async (line, method, reason, cure) => {
    const refuse = () => {
      throw planeError(status.FAILED_PRECONDITION, reason, "no");
    };
    expect((await run(line, { [method]: refuse })).stderr).toContain(cure);
  });
});
