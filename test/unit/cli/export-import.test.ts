import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { type ImportRequest, ImportResponseSchema } from "../../../src/gen/fairlead/admin/v1/archive_pb.ts";
import { HealthSchema } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { ServiceSchema } from "../../../src/gen/fairlead/admin/v1/service_pb.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Answers, planeError, type Run, runAgainst } from "./fake-plane.ts";

const INVALID_ARGUMENT = 3;
const FAILED_PRECONDITION = 9;

const meta = { uid: "u-1", generation: 3n, owner: "team-a" };
const SHOP = { name: "shop", labels: { note: "a: b # c\n---\nd" }, drainTime: { seconds: 3n } };
const PAY = { name: "pay" };
const verdict = create(HealthSchema, { backend: "shop/one", source: "override", reason: "disk full", meta });
const any = (fields: typeof PAY) => ({
  object: { case: "service", value: { ...fields, meta: { ...meta, version: "7.1", requestId: "r" } } },
});
/** The state in two parts. */
const state: Answers = {
  Watch: () => [
    { revision: "7.8", events: [{ kind: "service", name: "shop", object: any(SHOP) }] },
    {
      revision: "7.9",
      synced: true,
      events: [
        { kind: "health", name: "shop/one/override", health: verdict },
        { kind: "service", name: "pay", object: any(PAY) },
      ],
    },
  ],
};
const answer = (fields: object = {}): Answers => ({ Import: () => create(ImportResponseSchema, fields) });
const importText = (text: string, answers = answer(), ...flags: string[]) =>
  runAgainst(answers, ["import", "-", ...flags], { stdin: text });
const requestsOf = ({ calls }: Run) => calls.map(({ request }) => request as ImportRequest);

describe("fairlead export", () => {
  it("writes the same to a file for its owner only, and replaces one only when that is asked for", async () => {
    using folder = tempFolder();
    const file = join(folder.path, "all.yaml");
    const { stdout } = await runAgainst(state, ["export", "-"]);
    expect(await runAgainst(state, ["export", file])).toMatchObject({ code: 0, stdout: "" });
    expect(readFileSync(file, "utf8")).toBe(stdout);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await runAgainst(state, ["export", file])).toMatchObject({ code: 1, calls: [] });
    expect(await runAgainst(state, ["export", file, "--force"])).toMatchObject({ code: 0 });
  });

  it("prints what an import reads as the same objects, without what says nothing elsewhere", async () => {
    const { code, stdout } = await runAgainst(state, ["export"]);
    expect(code).toBe(0);
    expect(stdout).toContain("# The whole state, 3 objects.");
    const [request] = requestsOf(await importText(stdout));
    expect(request).toMatchObject({ exportedRevision: "7.9" });
    const services = [PAY, SHOP].map((fields) => create(ServiceSchema, { ...fields, meta }));
    expect(
      request?.objects.map(({ object }) => (object.case === "any" ? object.value.object.value : object.value)),
    ).toEqual([...services, verdict]);
    expect(stdout).not.toMatch(/version|requestId/);
  });

  it("prints nothing when the plane ends it early, or has an object that is not known here", async () => {
    const early = await runAgainst({ Watch: () => [] }, ["export"]);
    expect(early).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("ended the export before") });
    const half = await runAgainst({ Watch: () => [{ revision: "7.8", events: [] }] }, ["export"]);
    expect(half).toMatchObject({ code: 1, stdout: "" });
    const events = [{ kind: "gateway", name: "g" }];
    const unknown = await runAgainst({ Watch: () => [{ revision: "1.1", synced: true, events }] }, ["export"]);
    expect(unknown).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("gateway g: this fairlead") });
  });
});

describe("fairlead import", () => {
  it("sends what was asked for once, and the objects some hundreds at a time", async () => {
    const text = Array.from({ length: 450 }, (_, i) => `kind: Service\nname: s${i}\n`).join("---\n");
    const run = await importText(text, answer(), "--dry-run", "--replace", "--allow-removal", "--reason", "why");
    const [first, ...rest] = requestsOf(run);
    expect(first?.options).toMatchObject({ validateOnly: true, replace: true, allowRemoval: true, reason: "why" });
    expect(rest.every(({ options }) => options === undefined)).toBe(true);
    expect([first, ...rest].map((request) => request?.objects.length)).toEqual([200, 200, 50]);
  });

  it("says what it changed", async () => {
    const counts = [{ kind: "service", created: 1, updated: 2, deleted: 3, unchanged: 4 }];
    const { stdout } = await importText("kind: Fleet\nname: a\n", answer({ counts, revision: "8.1" }));
    expect(stdout).toContain("and 6 more");
    expect(stdout).toContain("1 created, 2 updated, 3 deleted, 4 unchanged. A new epoch has begun, at revision 8.1.");
  });

  it.each([
    ["nothing", "# only a comment\n", "no objects in standard input"],
    [
      "a bad document, by its line",
      "kind: Fleet\nname: a\n---\nkind: Fleet\nnodez: {}\n",
      /^standard input:5:1 +nodez/,
    ],
    ["a document that breaks off", "kind: Fleet\nname: {a\n", /^standard input:\d+:\d+ /],
    ["an unknown kind", "kind: Gateway\nname: a\n", /^standard input:1:1 +kind +unknown kind "Gateway"/],
  ])("refuses %s, and asks nothing of the plane", async (_, text, message) => {
    const { code, stderr, calls } = await importText(text);
    expect({ code, calls }).toEqual({ code: 1, calls: [] });
    expect(stderr).toMatch(message);
    expect(stderr).toContain("nothing was changed");
  });

  it("names a file that cannot be read", async () => {
    const { code, stderr } = await runAgainst(answer(), ["import", "/nowhere/all.yaml"]);
    expect(code).toBe(1);
    expect(stderr).toContain("/nowhere/all.yaml: cannot be read: no such file or directory");
  });

  it("leads what the plane refuses back to the line of the object", async () => {
    const refuse = (thrown: unknown): Answers => ({
      Import: () => {
        throw thrown;
      },
    });
    const text = "kind: Fleet\nname: a\n---\nkind: Backend\nname: shop/1\naddress: 10.0.0.1:80\n";
    const bad = planeError(INVALID_ARGUMENT, "INVALID_FIELD", "bad", { "objects[1].name": "has no service" });
    const placed = await importText(text, refuse(bad));
    expect(placed.code).toBe(1);
    expect(placed.stderr).toMatch(/^standard input:3:1 +name +has no service/);
    const brake = planeError(FAILED_PRECONDITION, "REMOVAL_TOO_LARGE", "removes 3 of 4");
    expect((await importText(text, refuse(brake))).stderr).toContain(
      "Repeat with --allow-removal if that is intended.",
    );
  });
});
