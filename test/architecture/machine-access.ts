/** Finds where a source reaches for the machine itself: clock, chance, environment, console. */
import { type SourceFile, walk } from "./source-file.ts";

/** Globals that are banned as a whole. */
const GLOBALS = new Set(["console", "performance", "process", "setImmediate", "setInterval", "setTimeout"]);

/** Globals of which only some members are banned. */
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  AbortSignal: ["timeout"],
  crypto: ["getRandomValues", "randomUUID"],
  Date: ["now"],
  Math: ["random"],
};

/** Modules that offer the same by import; `true` bans all of the module. */
const MODULES: Readonly<Record<string, readonly string[] | true>> = {
  "node:console": true,
  "node:crypto": ["randomBytes", "randomFillSync", "randomInt", "randomUUID", "webcrypto"],
  "node:perf_hooks": true,
  "node:process": true,
  "node:timers": true,
  "node:timers/promises": true,
};

/** One line for each use: `path: what`. */
export function machineAccess({ path, program, imports }: SourceFile): string[] {
  const uses = imports.flatMap(({ target, names }) => {
    const banned = MODULES[target];
    if (banned === undefined) return [];
    if (banned === true) return [target];
    return names.filter((name) => banned.includes(name)).map((name) => `${name} of ${target}`);
  });
  walk(program, (node, parent, key) => {
    if (node.type === "Identifier" && GLOBALS.has(node.name) && !isMerelyAName(parent, key)) uses.push(node.name);
    if (node.type === "MemberExpression" && node.object.type === "Identifier" && node.property.type === "Identifier") {
      const { name } = node.property;
      if (MEMBERS[node.object.name]?.includes(name) === true) uses.push(`${node.object.name}.${name}`);
    }
    if ((node.type === "NewExpression" || node.type === "CallExpression") && node.arguments.length === 0) {
      if (node.callee.type === "Identifier" && node.callee.name === "Date") uses.push("the current Date");
    }
  });
  return uses.map((use) => `${path}: ${use}`);
}

/** A property or a type that happens to bear a global's name. */
function isMerelyAName(
  parent: { readonly type: string; readonly computed?: unknown } | undefined,
  key: string,
): boolean {
  if (parent === undefined) return false;
  if (parent.type === "MemberExpression") return key === "property" && parent.computed !== true;
  return (
    (key === "key" && parent.computed !== true) || parent.type === "TSTypeQuery" || parent.type === "TSTypeReference"
  );
}
