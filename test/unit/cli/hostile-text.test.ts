import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { jsonText, yamlText } from "../../../src/cli/data-text.ts";
import type { CliContext } from "../../../src/cli/io.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { printable } from "../../../src/domain/printable.ts";
import { AdminService } from "../../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { allMethods, answering, COMMAND_LINES, FORMS, MANIFEST } from "./every-command.ts";
import { planeError, type Run, runAgainst } from "./fake-plane.ts";

/** What is tried everywhere at once, and next to it whatever else chance comes by. */
const ATTACKS = [
  "edge-7\r\u001b[2K\u001b[32mack\u001b[0m",
  "refused\n  proxies    12 connected, 12 up to date\n",
  "\u202e\u2066kca\u2069",
  "\u009b31m\u0085\u007f\u0000",
  "a\u2028b\u2029c\u200b\u00ad\ufeff\u{e0001}\ufe0f\u3164",
  "edge-7\u00a0\u3000                                            edge-8  edge  1.40.0  ack",
];
const hostileText = fc.oneof(
  fc.constantFrom(...ATTACKS),
  fc.string({ unit: "binary", minLength: 1 }).map((text) => `x${text.toWellFormed()}`),
);

describe("what a plane answers stays text", () => {
  test("every command is looked at", () => {
    const context = { io: { env: {} } } as unknown as CliContext;
    expect(Object.keys(FORMS).sort()).toEqual(
      buildProgram(context)
        .commands.map((command) => command.name())
        .sort(),
    );
  });

  test.each(COMMAND_LINES.map((argv) => ({ argv })))("in a result of $argv", async ({ argv }) => {
    const plain = await run(argv, "x");
    expect(plain.stdout + plain.stderr).not.toBe("");
    await fc.assert(
      fc.asyncProperty(hostileText, fc.boolean(), fc.boolean(), async (text, isTty, isColoured) => {
        const hostile = await run(argv, text, isTty, isColoured);
        expect(hostile.code).toBe(plain.code);
        expectText(hostile, plain);
      }),
      { numRuns: 15 },
    );
  });

  test.each(COMMAND_LINES.filter((argv) => isAsking(argv)).map((argv) => ({ argv })))(
    "in an error of $argv",
    async ({ argv }) => {
      const fail = (text: string, fields: Readonly<Record<string, string>>) =>
        runAgainst(
          allMethods(() => {
            throw planeError(9, "SOME_REASON", text, fields);
          }),
          argv,
          { stdin: MANIFEST },
        );
      for (const text of ATTACKS) {
        const refused = await fail(text, {});
        expect(refused.code).not.toBe(0);
        expectText(refused, await fail("x", {}));
        expectText(await fail(text, { [text]: text }), await fail("x", { x: "x" }));
      }
    },
  );

  test("and when it breaks off in the middle, in a way that nobody foresaw", async () => {
    for (const text of ATTACKS) {
      const broken = await runAgainst(
        {
          GetStatus: () => {
            throw new Error(text);
          },
        },
        ["status"],
      );
      expect(broken.stderr).toContain(`this is a bug in fairlead: Error: ${printable(text)}\n`);
      expectSeen(broken.stderr);
    }
  });
});

describe("what is typed and read stays text", () => {
  test.each(ATTACKS)("names, files and options: %j", async (text) => {
    const file = `no-such-folder/${text.replaceAll("\0", "")}`;
    const lines = [
      ["apply", "-f", file],
      ["import", file],
      ["restore", file],
      ["backup", file],
      ["get", text],
      [text],
      ["get", "services", `--${text}`],
      ["drain", text, "--timeout", text],
      ["status", "--server", text],
      ["bootstrap", "--node-id", "a", "--fleet", "b", "--xds", text],
    ];
    for (const argv of lines) {
      const { code, stdout, stderr } = await runAgainst(allMethods(answering("x")), argv);
      expect(code, argv.join(" ")).not.toBe(0);
      expect(stdout).toBe("");
      expectSeen(stderr);
      expect(stderr.split("\n").length, stderr).toBeLessThanOrEqual(4);
    }
    const suggested = await runAgainst({}, ["statu"]);
    expect(suggested.stderr).toContain("\n(Did you mean status?)\n");
  });

  test.each(ATTACKS)("keys and values of manifests: %j", async (text) => {
    const warned = vi.spyOn(process, "emitWarning").mockReturnValue();
    const quoted = JSON.stringify(text);
    for (const manifest of [
      `${quoted}: 1`,
      `kind: ${quoted}`,
      `kind: Service\nname: ${quoted}\n${quoted}: 1`,
      `kind: Service\n? {a: ${quoted}}\n: 1`,
      `kind: ! ${quoted} ${text}`,
    ]) {
      for (const command of [
        ["apply", "-f", "-"],
        ["import", "-"],
      ]) {
        const { code, stderr } = await runAgainst(allMethods(answering("x")), command, { stdin: manifest });
        if (code !== 0) expect(stderr).toMatch(/nothing was changed\n$/);
        expectSeen(stderr);
      }
    }
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });
});

describe("data stays what it was", () => {
  test("as JSON and as YAML, and can be looked at", () => {
    const value = fc.dictionary(
      hostileText,
      fc.oneof(hostileText, fc.array(hostileText), fc.dictionary(hostileText, hostileText)),
    );
    fc.assert(
      fc.property(value, (data) => {
        expect(JSON.parse(seen(jsonText(data, 2)))).toEqual({ ...data });
        expect(jsonText(data).indexOf("\n")).toBe(jsonText(data).length - 1);
        for (const lineWidth of [0, 80]) expect(parse(seen(yamlText(data, { lineWidth })))).toEqual({ ...data });
      }),
    );
  });

  test.each(ATTACKS)("in what commands print for programs: %j", async (text) => {
    const service = toJson(
      AdminService.method.getService.output,
      answering(text)(AdminService.method.getService) as never,
      { alwaysEmitImplicit: true },
    );
    const json = await runAgainst(allMethods(answering(text)), ["get", "service", "shop", "-o", "json"]);
    expect(JSON.parse(seen(json.stdout))).toEqual(service);
    for (const argv of [["get", "services", "-o", "yaml"], ["history", "service", "shop", "-o", "yaml"], ["export"]]) {
      const { code, stdout, stderr } = await runAgainst(allMethods(answering(text)), argv);
      expect(code, stderr).toBe(0);
      const documents = parseAllDocuments(seen(stdout));
      expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
      const last: unknown = documents.at(-1)?.toJS();
      expect(last).toMatchObject({ kind: "Service", name: text, policy: text, labels: { [text]: text } });
    }
    const sent = await runAgainst(allMethods(answering(text)), ["node", "a", "-o", "yaml"]);
    expect((parse(seen(sent.stdout)) as object[])[0]).toMatchObject({ type: text, name: text, version: text });
    for (const argv of [
      ["status"],
      ["nodes"],
      ["node", "a"],
      ["explain", "backend", "s/b"],
      ["health"],
      ["watch"],
      ["apply", "-f", "-"],
    ]) {
      const { stdout } = await runAgainst(allMethods(answering(text)), [...argv, "-o", "json"], { stdin: MANIFEST });
      for (const one of argv[0] === "watch" ? stdout.split("\n").filter((line) => line !== "") : [stdout]) {
        expect(JSON.stringify(JSON.parse(seen(one)))).toContain(JSON.stringify(text).slice(1, -1));
      }
    }
  });

  test.each(ATTACKS)("in a bootstrap: %j", async (text) => {
    const { stdout } = await runAgainst({}, [
      "bootstrap",
      "--admin-socket",
      "/run/e/admin.sock",
      "--node-id",
      text,
      "--fleet",
      text,
    ]);
    expect(parse(seen(stdout))).toMatchObject({ node: { id: text, cluster: text } });
  });

  test.each(ATTACKS)("in a backup, whose summary is a line: %j", async (text) => {
    using folder = tempFolder();
    const file = join(folder.path, "a.backup");
    const head = { record: { case: "head", value: { revision: text, productVersion: text } } };
    const end = { record: { case: "end", value: {} } };
    const made = await runAgainst({ Backup: () => [{ records: [head, end] }] }, ["backup", file]);
    const tried = await runAgainst({}, ["restore", "--dry-run", file]);
    const done = await runAgainst(allMethods(answering(text)), ["restore", file]);
    expect(readFileSync(file).includes(text)).toBe(true);
    expect([made, tried, done].map(({ code, stdout }) => [code, seen(stdout).split("\n").length])).toEqual([
      [0, 2],
      [0, 2],
      // One for each of the two records that were left out.
      [0, 5],
    ]);
  });
});

async function run(argv: readonly string[], text: string, isTty = false, isColoured = false): Promise<Run> {
  const colors = { stdout: isColoured, stderr: isColoured };
  const ran = await runAgainst(allMethods(answering(text)), argv, { stdin: MANIFEST, isTty, colors });
  return { ...ran, stdout: withoutColours(ran.stdout), stderr: withoutColours(ran.stderr) };
}

/** Without the colours that are the program's own; the attacks do more than that. */
function withoutColours(text: string): string {
  return [1, 22, 31, 32, 33, 39].reduce((rest, code) => rest.replaceAll(`\u001b[${code}m`, ""), text);
}

function isAsking([command = "", , name = "--none"]: readonly string[]): boolean {
  if (command === "explain") return !name.startsWith("--");
  return !["schema", "completion", "version"].includes(command);
}

/** As many lines as with plain words in it, and nothing in them but what can be seen. */
function expectText(hostile: Run, plain: Run): void {
  for (const of of ["stdout", "stderr"] as const) {
    const text = withoutProgress(hostile[of]);
    expectSeen(text);
    expect(text.split("\n").length, text).toBe(withoutProgress(plain[of]).split("\n").length);
  }
}

/** Without the lines that were drawn in place; each must be one line, and nothing in it but what can be seen. */
function withoutProgress(text: string): string {
  const [first = "", ...drawn] = text.split("\r\u001b[K");
  return drawn.reduce((shown, part, at) => {
    if (at === drawn.length - 1) return shown + part;
    expect(part).toBe(printable(part));
    return shown;
  }, first);
}

function expectSeen(text: string): void {
  for (const line of text.split("\n")) expect(line).toBe(printable(line));
}

function seen(text: string): string {
  expectSeen(text);
  return text;
}
