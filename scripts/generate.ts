/**
 * Generates `src/gen/` from our own protos and from the Envoy API protos that `@grpc/grpc-js-xds` carries, unless what is
 * there was made of the same by the same programs. It takes 10 seconds on a machine that does nothing else.
 *
 * The upstream protos are staged in `.proto/` first, because the validate.proto of that package is older than
 * the Envoy protos beside it: they use `StringRules.ignore_empty` (field 26 upstream), which it does not declare.
 * The rules are annotations only; nothing on the wire depends on them.
 */
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { makeUnlessCurrent } from "./generate/stamp.ts";

const root = join(import.meta.dirname, "..");
const upstream = join(root, "node_modules/@grpc/grpc-js-xds/deps");
const staged = join(root, ".proto");
const programs = join(root, "node_modules/.bin");

/** Of what `npm ci` installs the version says all: the lockfile fixes the content. */
const INSTALLED = ["@grpc/grpc-js-xds", "@bufbuild/buf", "@bufbuild/protoc-gen-es"];

const making = {
  root,
  sources: [
    ...["proto", "buf.yaml", "buf.gen.yaml", "scripts/generate.ts"],
    ...INSTALLED.map((name) => `node_modules/${name}/package.json`),
  ],
  results: [".proto", "src/gen"],
  stampFile: join(root, "src/gen/stamp.json"),
};
makeUnlessCurrent(making, () => {
  const startedAt = performance.now();
  console.log("generating src/gen from the protos, some 10 to 30 seconds …");
  generate();
  console.log(`generated in ${Math.round((performance.now() - startedAt) / 1000)} s`);
});

function generate(): void {
  stage();
  const options = { cwd: root, env: { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}` } };
  execFileSync("buf", ["generate"], { ...options, stdio: "inherit" });

  // The admin API with its comments, which the generated code does not carry: what server reflection answers from.
  const described = ["proto/fairlead/admin", "proto/grpc", ".proto/google/rpc/error_details.proto"];
  const build = ["build", "--as-file-descriptor-set", ...described.flatMap((path) => ["--path", path]), "-o", "-"];
  const descriptors = execFileSync("buf", build, { ...options, maxBuffer: 64 * 1024 * 1024 }).toString("base64");
  writeFileSync(
    join(root, "src/gen/descriptors.ts"),
    `/** A google.protobuf.FileDescriptorSet in base64. */\nexport const DESCRIPTORS =\n  "${descriptors}";\n`,
  );
}

function stage(): void {
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
}
