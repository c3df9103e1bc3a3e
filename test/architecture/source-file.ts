/** What the tests of the code base itself look at: one parsed source file. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { type Node, type Program, parseSync, visitorKeys } from "oxc-parser";

const root = join(import.meta.dirname, "../..");

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** What it imports or re-exports, types included: a path of ours, or the name of a package or a module of Node. */
  readonly imports: readonly Import[];
  readonly program: Program;
}

export interface Import {
  readonly target: string;
  /** The imported names; empty for `import *`, `import "x"` and `import()`. */
  readonly names: readonly string[];
}

/** Every file under version control or about to be, without those that are ignored. */
export function repositoryFiles(): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root });
  return listed
    .toString()
    .split("\n")
    .filter((path) => path !== "" && existsSync(join(root, path)));
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Our sources, parsed; generated code is ignored by git and so not among them. */
export function readSources(): SourceFile[] {
  return repositoryFiles()
    .filter((path) => path.startsWith("src/") && path.endsWith(".ts"))
    .map((path) => parseSource(path, readText(path)));
}

export function parseSource(path: string, text: string): SourceFile {
  const { program, module, errors } = parseSync(path, text);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const imports = [
    ...module.staticImports.map(({ moduleRequest, entries }) => ({
      target: resolve(path, moduleRequest.value),
      names: entries.flatMap(({ importName }) => (importName.name === null ? [] : [importName.name])),
    })),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) =>
        moduleRequest === null ? [] : [{ target: resolve(path, moduleRequest.value), names: [] }],
      ),
    ),
    ...module.dynamicImports.map(({ moduleRequest }) => ({
      target: resolve(path, text.slice(moduleRequest.start + 1, moduleRequest.end - 1)),
      names: [],
    })),
  ];
  return { path, text, imports, program };
}

/** Calls `see` for each node below `node`, with its parent and the parent's property that holds it. */
export function walk(node: Node, see: (node: Node, parent: Node | undefined, key: string) => void): void {
  const visit = (current: Node, parent: Node | undefined, key: string) => {
    see(current, parent, key);
    for (const childKey of visitorKeys[current.type] ?? []) {
      const value: unknown = (current as unknown as Record<string, unknown>)[childKey];
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, current, childKey);
    }
  };
  visit(node, undefined, "");
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : specifier;
}
