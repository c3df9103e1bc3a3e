import { join } from "node:path";
import type { DescMethod } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import type { CliContext } from "../../../src/cli/io.ts";
import { outputSchema } from "../../../src/cli/output-schema.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { AdminService } from "../../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { WaitForRevisionResponse_Outcome as Outcome } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import { schemaFaults } from "../../support/json-schema.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { type Answers, planeError, runAgainst } from "./fake-plane.ts";
import { filledMessage } from "./filled-message.ts";

const SCHEMA = outputSchema();
const BY_COMMAND = SCHEMA["properties"] as Readonly<Record<string, Record<string, unknown>>>;
const MANIFEST = "kind: Service\nname: shop\n";

/** Each command that prints JSON, in each of its forms. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  apply: ["-f -", "-f - --dry-run", "-f - --wait"],
  get: ["services", "service shop", "backends", "health", "routes", "route shop", "listeners", "fleets", "policies"],
  delete: ["route shop", "route shop --dry-run", "service shop --wait", "record a/b"],
  register: ["shop/a --address 10.0.0.1:80", "shop/a --address 10.0.0.1:80 --wait"],
  unregister: ["shop/a --wait"],
  drain: ["shop/a", "shop/a --dry-run", "shop/a --undo --wait"],
  health: ["", "shop/a --override unhealthy --wait", "shop/a --clear"],
  "explain backend": ["shop/a", ""],
  "explain route": ["shop", "", "--recursive"],
  "explain service": ["shop"],
  "explain policy": ["shop"],
  "explain listener": ["web"],
  "explain fleet": ["edge"],
  "explain node": ["edge-7"],
  "explain request": ["http://shop.example/cart"],
  status: ["", "--check"],
  nodes: [""],
  node: ["edge-7"],
  resend: ["edge-7", "edge-7 --wait"],
  forget: ["node/edge-7", "edge-7 --dry-run"],
  watch: ["--present"],
  history: ["service shop"],
  rollback: [
    "route shop --to 3 --wait",
    "route shop --to 3 --dry-run",
    "--revision 1.7 --wait",
    "--revision 1.7 --dry-run",
  ],
  upgrade: ["", "--to-profile 2 --wait", "--to-profile 2 --dry-run"],
  import: ["-", "- --dry-run", "- --wait"],
  backup: ["FILE --force"],
  restore: ["FILE", "FILE --dry-run", "FILE --wait"],
  version: [""],
};
const LINES = Object.entries(FORMS).flatMap(([command, forms]) => forms.map((form) => ({ command, form })));

const FILLED = { next_page_token: "", kind: "service", synced: true };
const answersOf = (one: (method: DescMethod) => unknown): Answers =>
  Object.fromEntries(
    AdminService.methods.map((method) => [
      method.name,
      () => {
        if (method === AdminService.method.backup) {
          const parts = ["head", "end"].map((part) => ({ record: { case: part, value: {} } }));
          return [{ records: parts }];
        }
        if (method === AdminService.method.waitForRevision)
          return [{ ...(one(method) as object), outcome: Outcome.REACHED }];
        return method.methodKind === "server_streaming" ? [one(method)] : one(method);
      },
    ]),
  );
const filled = answersOf((method) =>
  filledMessage(method.output, () => "x", {
    ...FILLED,
    ...(method === AdminService.method.watch ? { health: undefined } : {}),
  }),
);
const empty = answersOf((method) =>
  method === AdminService.method.restore ? { restored: {} } : create(method.output, {}),
);
const refused = answersOf(() => {
  throw planeError(status.ABORTED, "SOME_REASON", "no", { field: "wrong" });
});

function argvOf({ command, form }: (typeof LINES)[number], file: string): readonly string[] {
  return [...command.split(" "), ...form.split(" ").filter((word) => word !== ""), "-o", "json"].map((word) =>
    word === "FILE" ? file : word,
  );
}

function faultsOf(command: string, stdout: string): readonly string[] {
  const documents = command === "watch" ? stdout.split("\n").filter((line) => line !== "") : [stdout];
  expect(documents).not.toEqual([]);
  return documents.flatMap((text) => schemaFaults(SCHEMA, BY_COMMAND[command] ?? {}, JSON.parse(text)));
}

describe("the schema of what -o json prints", () => {
  test("has every command that prints JSON", () => {
    const context = { io: { env: {} } } as unknown as CliContext;
    const named = (command: Command, path: string): readonly string[] => [
      ...(command.options.some(({ long, argChoices }) => long === "--output" && argChoices?.includes("json") === true)
        ? [path]
        : []),
      ...command
        .createHelp()
        .visibleCommands(command)
        .flatMap((inner) => named(inner, `${path} ${inner.name()}`)),
    ];
    const printing = buildProgram(context).commands.flatMap((command) => named(command, command.name()));
    expect(Object.keys(BY_COMMAND).sort()).toEqual(printing.toSorted());
    expect(Object.keys(FORMS).sort()).toEqual(printing.toSorted());
  });

  test.each(LINES)("holds for $command $form: full answers, empty ones, and errors", async (line) => {
    using folder = tempFolder();
    const file = join(folder.path, "a.backup");
    await runAgainst(filled, ["backup", file]);
    for (const answers of [filled, empty]) {
      const { code, stdout, stderr } = await runAgainst(answers, argvOf(line, file), { stdin: MANIFEST });
      expect(faultsOf(line.command, stdout), `${stdout}${stderr}`).toEqual([]);
      expect([0, 1], stderr).toContain(code);
    }
    const { code, stdout } = await runAgainst(refused, argvOf(line, file), { stdin: MANIFEST });
    expect(faultsOf(line.command, stdout)).toEqual([]);
    if (code !== 0) expect(JSON.parse(stdout)).toMatchObject({ error: { exitCode: 6, reason: "SOME_REASON" } });
  });

  test("finds what is missing, unknown or of another type", async () => {
    const { stdout } = await runAgainst(filled, ["status", "-o", "json"]);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    const faults = (changed: object) => faultsOf("status", JSON.stringify({ ...document, ...changed }));
    expect(faults({})).toEqual([]);
    expect(faults({ problems: undefined })).toContain("$.problems: is missing");
    expect(faults({ surprise: 1 })).toContain("$.surprise: is unknown");
    expect(faults({ services: "7" })).toContain("$.services: is no integer");
    expect(faults({ problems: [{ what: 1, why: "" }] })).toContain("$.problems[0].what: is no string");
  });
});
