import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { Change_Action as Action } from "../../../src/gen/fairlead/admin/v1/apply_pb.ts";
import { Health_Status } from "../../../src/gen/fairlead/admin/v1/backend_pb.ts";
import { NodeType_State } from "../../../src/gen/fairlead/admin/v1/node_pb.ts";
import { Problem_Severity as Severity } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { planeError, runAgainst } from "./fake-plane.ts";

const colors = { stdout: true, stderr: true };
const red = (text: string) => `\u001B[31m${text}\u001B[39m`;
const yellow = (text: string) => `\u001B[33m${text}\u001B[39m`;
const green = (text: string) => `\u001B[32m${text}\u001B[39m`;
const bold = (text: string) => `\u001B[1m${text}\u001B[22m`;

const backends = [
  { name: "shop/a", state: 2, status: { eligible: false, message: "prober: HTTP 503" } },
  { name: "shop/b", status: { eligible: true } },
];
const status = {
  services: 3,
  servicesWhole: 1,
  servicesDown: 1,
  proxiesRefusing: 1,
  problems: [
    { what: "service pay is DOWN", severity: Severity.DOWN, why: "nobody is healthy" },
    { what: "node edge-1 is behind", severity: Severity.DEGRADED, why: "slow" },
    { what: "a notice", severity: Severity.NOTICE, why: "to know" },
  ],
};
const types = [
  { type: "CDS", state: NodeType_State.ACKED },
  { type: "LDS", state: NodeType_State.REFUSED },
  { type: "RDS", state: NodeType_State.SENT },
];
const conditions = [{ ok: false, reason: "Refused", message: "cannot bind" }];
const ANSWERS = {
  GetStatus: () => status,
  ListBackends: () => ({ backends }),
  ListHealth: () => ({ health: [{ backend: "shop/a", source: "prober", status: Health_Status.UNHEALTHY }] }),
  ListNodes: () => ({ nodes: [{ id: "edge-1", connected: true, lagMs: 9000n, types, conditions }] }),
  GetNode: () => ({
    id: "edge-1",
    types: [{ type: "LDS", resources: [{ name: "web", versionRefused: "h2", refusal: "cannot bind" }] }],
  }),
  ExplainBackend: () => ({
    backend: backends[0],
    verdicts: [{ health: { source: "prober", status: Health_Status.UNHEALTHY }, counts: true }],
  }),
  Apply: () => ({
    changes: [
      { action: Action.CREATE, kind: "route", name: "a" },
      { action: Action.UPDATE, kind: "route", name: "b" },
      { action: Action.DELETE, kind: "route", name: "c" },
    ],
    conditions: [{ kind: "route", name: "a", condition: { reason: "UnknownService", message: "no cart" } }],
  }),
};

const MANIFEST = "kind: Service\nname: shop\n";
const run = (argv: string, options = {}) =>
  runAgainst(ANSWERS, argv.split(" "), { stdin: MANIFEST, colors, ...options });

describe("colours", () => {
  it.each([
    ["status", [red("1 DOWN"), yellow("1 degraded"), red("1 refused something"), red("service pay is DOWN")]],
    ["status", [yellow("node edge-1 is behind"), "  a notice  ", bold("PROBLEM")]],
    ["get backends", [bold("NAME"), red("no"), green("yes")]],
    ["health", [red("UNHEALTHY")]],
    ["nodes", [green("ack"), red("REFUSED"), yellow("sent"), yellow("9.0 s"), yellow("Refused: cannot bind")]],
    ["node edge-1", [red("REFUSED: cannot bind"), yellow("disconnected for -")]],
    ["explain backend shop/a", [red("not routable"), red("unhealthy")]],
    ["apply -f -", [green("+"), yellow("~"), red("-"), yellow("!")]],
  ])("of %s say what parts of it mean, and take no room", async (argv, pieces) => {
    const { stdout } = await run(argv);
    for (const piece of pieces) expect(stdout).toContain(piece);
    expect(stripVTControlCharacters(stdout)).toBe((await run(argv, { colors: undefined })).stdout);
  });

  it("of errors go to standard error alone", async () => {
    const refuse = () => {
      throw planeError(9, "SOME", "no \u001B[32mway");
    };
    const { stderr } = await runAgainst({ GetStatus: refuse }, ["status"], { colors: { stdout: false, stderr: true } });
    expect(stderr).toBe(`${red("no \\x1b[32mway")}\n`);
  });

  it.each(["status -o json", "get backends -o json", "get backends -o yaml", "nodes -o json", "apply -f - -o json"])(
    "are never in what programs read: %s",
    async (argv) => {
      expect((await run(`${argv} --color always`)).stdout).not.toContain("\u001B");
    },
  );

  it("are there always or never when that is said", async () => {
    expect((await run("status --color never")).stdout).not.toContain("\u001B");
    expect((await run("--color always status", { colors: undefined })).stdout).toContain(red("1 DOWN"));
    expect((await run("status --color sometimes")).code).toBe(2);
  });
});
