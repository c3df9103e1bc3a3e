/** Finds what a module remembers from one call to the next: what the results of a pure function may not lean on. */
import type { Node } from "oxc-parser";
import { type SourceFile, walk } from "./source-file.ts";

const COLLECTIONS = new Set(["Map", "Set", "WeakMap", "WeakSet", "WeakRef"]);
/** Nothing is put into a collection of such a type, in whatever it stands. */
const READ_ONLY = /^:\s*(?!\s|(?:Map|Set|Weak\w+)\b)/;

/** One line for each variable: `path: what`. A table that is filled as it is made remembers nothing. */
export function moduleMemory({ path, text, program }: SourceFile): string[] {
  const found: string[] = [];
  for (const statement of program.body) {
    const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration?.type !== "VariableDeclaration") continue;
    for (const { id, init } of declaration.declarations) {
      const name = text.slice(id.start, id.end);
      const type = id.type === "Identifier" && id.typeAnnotation ? id.typeAnnotation : undefined;
      const isReadOnly = type !== undefined && READ_ONLY.test(text.slice(type.start, type.end));
      const isFilledLater = init !== null && makes(init).some((made) => made.startsWith("Weak") || !isReadOnly);
      if (declaration.kind !== "const" || isFilledLater) found.push(`${path}: ${name}`);
    }
  }
  return found;
}

/** The kinds of empty collections that an expression makes at once. */
function makes(expression: Node): string[] {
  const made: string[] = [];
  const functions: Node[] = [];
  walk(expression, (node) => {
    if (node.type === "ArrowFunctionExpression" || node.type === "FunctionExpression") functions.push(node);
    if (node.type !== "NewExpression" || node.callee.type !== "Identifier" || node.arguments.length > 0) return;
    if (functions.some(({ start, end }) => start <= node.start && node.end <= end)) return;
    if (COLLECTIONS.has(node.callee.name)) made.push(node.callee.name);
  });
  return made;
}
