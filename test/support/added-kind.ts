/** A copy of the product that has one kind of object more, and what had to be written for it. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

/** Files of its own. */
const FILES: Readonly<Record<string, string>> = {
  "proto/fairlead/admin/v1/beacon.proto": `syntax = "proto3";
package fairlead.admin.v1;
import "fairlead/admin/v1/meta.proto";
message Beacon {
  string name = 1;
  Meta meta = 2;
  map<string, string> labels = 3;
  map<string, string> annotations = 4;
  string service = 10;
  uint32 brightness = 11;
  repeated Condition conditions = 100;
}
`,
  "src/domain/beacon.ts": `import type { Identified } from "./meta.ts";
import type { Name } from "./name.ts";

export interface Beacon extends Identified {
  readonly service: Name;
  readonly brightness: number;
}
`,
  "src/schema/kinds/beacon.ts": `import type { Beacon } from "../../domain/beacon.ts";
import { type Beacon as BeaconMessage, BeaconSchema } from "../../gen/fairlead/admin/v1/beacon_pb.ts";
import { factsOf } from "../facts.ts";
import { parseIdentity } from "../field-checks.ts";
import { identityFacts } from "../identity-facts.ts";
import { nameOf } from "../text-forms.ts";
import type { KindEntry } from "./kind-entry.ts";

export const BEACON = {
  message: BeaconSchema,
  facts: [
    factsOf(BeaconSchema, {
      ...identityFacts("beacon"),
      service: { required: true, text: nameOf("service") },
      brightness: { range: { min: 0, max: 100 } },
    }),
  ],
  outputOnly: ["meta", "conditions"],
  parse: parseBeacon,
  isApplied: true,
  hasHistory: true,
  gives: "nothing",
} as const satisfies KindEntry<"beacon", BeaconMessage>;

function parseBeacon(message: BeaconMessage): Beacon {
  return { ...parseIdentity(message), service: message.service, brightness: message.brightness };
}
`,
};

/** What has a line for each kind. The first two are where a kind begins; the compiler asks for the others. */
const LINES: readonly (readonly [file: string, before: string, line: string])[] = [
  ["proto/fairlead/admin/v1/apply.proto", "    Service service = 1;\n", "    Beacon beacon = 100;\n"],
  ["src/domain/name.ts", "const NAMING = {\n", '  beacon: { path: ["beacons"] },\n'],
  ["src/domain/state.ts", "export interface ObjectOf {\n", '  beacon: import("./beacon.ts").Beacon;\n'],
  [
    "src/domain/references.ts",
    "const REFERENCES: { readonly [K in Kind]: References<K> } = {\n",
    "  beacon: { service: ({ service }) => [service] },\n",
  ],
  [
    "src/domain/references.ts",
    "const FOLLOW: { readonly [K in Kind]: Follow<K> } = {\n",
    "  beacon: () => undefined,\n",
  ],
  ["src/schema/kinds/registry.ts", "const REGISTRY = {\n", "  beacon: BEACON,\n"],
  [
    "src/cli/kinds.ts",
    "const DISPLAYS: { readonly [K in Kind]: KindDisplay<K> } = {\n",
    `  beacon: {
    short: "bc",
    columns: ["NAME", "SERVICE", "BRIGHTNESS"],
    cells: (beacon) => [beacon.name, beacon.service, String(beacon.brightness)],
  },
`,
  ],
];

const METHODS = `
  rpc CreateBeacon(CreateBeaconRequest) returns (WriteBeaconResponse);
  rpc GetBeacon(GetRequest) returns (Beacon);
  rpc ListBeacons(ListRequest) returns (ListBeaconsResponse);
  rpc UpdateBeacon(UpdateBeaconRequest) returns (WriteBeaconResponse);
  rpc DeleteBeacon(DeleteRequest) returns (WriteResponse);
  rpc ExplainBeacon(ExplainObjectRequest) returns (Explanation);
`;
const REQUESTS = `
message CreateBeaconRequest {
  Beacon beacon = 1;
  WriteOptions options = 2;
}
message UpdateBeaconRequest {
  Beacon beacon = 1;
  google.protobuf.FieldMask update_mask = 2;
  string expected_version = 3;
  WriteOptions options = 4;
}
message WriteBeaconResponse {
  Beacon beacon = 1;
  string revision = 2;
  Change change = 3;
}
message ListBeaconsResponse {
  repeated Beacon beacons = 1;
  string next_page_token = 2;
}
`;

export interface AddedKind {
  readonly main: string;
  /** Files that the compiler finds wrong while only the proto and the name of the kind are there. */
  readonly unfinished: readonly string[];
  /** The files that were left to be written then, and were there before. */
  readonly asked: readonly string[];
  /** What the compiler says once all is written. */
  readonly errors: string;
}

/** Adds the kind `beacon` to a copy of this checkout. @param folder An empty one. */
export function addKind(folder: string): AddedKind {
  for (const path of ["src", "proto", "buf.yaml", "tsconfig.json", "package.json"]) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  for (const path of ["node_modules", ".proto"]) symlinkSync(join(root, path), join(folder, path));
  const edit = (file: string, change: (text: string) => string) => {
    const path = join(folder, file);
    const before = readFileSync(path, "utf8");
    const after = change(before);
    if (after === before) throw new Error(`${file} has no place for a kind any more`);
    writeFileSync(path, after);
  };
  const addLine = ([file, before, line]: (typeof LINES)[number]) =>
    edit(file, (text) => text.replace(before, before + line));
  const beacon = 'import "fairlead/admin/v1/beacon.proto";\n';
  const begin = 'import "fairlead/admin/v1/backend.proto";\n';
  for (const file of ["apply", "admin"])
    edit(`proto/fairlead/admin/v1/${file}.proto`, (text) => text.replace(begin, begin + beacon));
  edit("proto/fairlead/admin/v1/admin.proto", (text) =>
    text.replace("service AdminService {\n", `service AdminService {\n${METHODS}`).concat(REQUESTS),
  );
  for (const [file, text] of Object.entries(FILES)) writeFileSync(join(folder, file), text);
  LINES.slice(0, 2).forEach(addLine);
  generate(folder);
  const unfinished = new Set(
    compile(folder)
      .matchAll(/^(src\/[^(]+)\(/gm)
      .map(([, file = ""]) => file),
  );
  LINES.slice(2).forEach(addLine);
  edit("src/schema/kinds/registry.ts", (text) => `import { BEACON } from "./beacon.ts";\n${text}`);
  return {
    main: join(folder, "src/main.ts"),
    unfinished: [...unfinished],
    asked: LINES.slice(2).map(([file]) => file),
    errors: compile(folder),
  };
}

/** Only what comes from the admin API's protos: the rest is there. */
function generate(folder: string): void {
  const template = {
    version: "v2",
    plugins: [
      { local: "protoc-gen-es", out: "src/gen", opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"] },
    ],
    inputs: [{ directory: ".", paths: ["proto/fairlead/admin"] }],
  };
  const programs = join(root, "node_modules/.bin");
  const env = { ...process.env, PATH: `${programs}:${process.env["PATH"]}` };
  execFileSync(join(programs, "buf"), ["generate", "--template", JSON.stringify(template)], { cwd: folder, env });
}

function compile(folder: string): string {
  const config = { extends: "./tsconfig.json", include: ["src"] };
  writeFileSync(join(folder, "tsconfig.src.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/.bin/tsc");
  return spawnSync(tsc, ["-p", "tsconfig.src.json"], { cwd: folder, encoding: "utf8" }).stdout;
}
