/**
 * Generates `src/gen/` from our own protos and from the Envoy API protos that `@grpc/grpc-js-xds` carries.
 *
 * The upstream protos are staged in `.proto/` first, because the validate.proto of that package is older than
 * the Envoy protos beside it: they use `StringRules.ignore_empty` (field 26 upstream), which it does not declare.
 * The rules are annotations only; nothing on the wire depends on them.
 */
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const upstream = join(root, "node_modules/@grpc/grpc-js-xds/deps");
const staged = join(root, ".proto");

rmSync(staged, { recursive: true, force: true });
for (const [from, folder] of [
  ["envoy-api", "envoy"],
  ["xds", "xds"],
  ["xds", "udpa"],
  ["googleapis", "google"],
  ["protoc-gen-validate", "validate"],
] as const) {
  cpSync(join(upstream, from, folder), join(staged, folder), { recursive: true });
}

const rules = join(staged, "validate/validate.proto");
const text = readFileSync(rules, "utf8");
const anchor = "message StringRules {";
if (!text.includes(anchor)) throw new Error(`${rules}: no "${anchor}" to extend`);
if (!/message StringRules \{[^}]*ignore_empty/s.test(text)) {
  writeFileSync(rules, text.replace(anchor, `${anchor}\n    optional bool ignore_empty = 26;\n`));
}

const buf = join(root, "node_modules/.bin/buf");
execFileSync(buf, ["generate"], { cwd: root, stdio: "inherit" });

/** The admin API with its comments, which the generated code does not carry: what server reflection answers from. */
const described = ["proto/fairlead/admin", "proto/grpc", ".proto/google/rpc/error_details.proto"];
const descriptors = execFileSync(
  buf,
  ["build", "--as-file-descriptor-set", ...described.flatMap((path) => ["--path", path]), "-o", "-"],
  { cwd: root, maxBuffer: 64 * 1024 * 1024 },
);
writeFileSync(
  join(root, "src/gen/descriptors.ts"),
  `/** A google.protobuf.FileDescriptorSet in base64. */\nexport const DESCRIPTORS =\n  "${descriptors.toString("base64")}";\n`,
);
