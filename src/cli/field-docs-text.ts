import type { JsonObject } from "@bufbuild/protobuf";
import { type FieldDocs, fieldDocs } from "../schema/field-docs.ts";
import { wrongUsage } from "./exit.ts";
import { type CliContext, printLine, printLines } from "./io.ts";
import { toned } from "./line.ts";
import { findKind } from "./object-reference.ts";
import { tableLines } from "./table.ts";

/** The kind and the names of fields in `svc.healthCheck.http`; undefined where it begins with no kind. */
export function splitFieldPath(word: string) {
  const [noun = "", ...words] = word.split(".");
  const entry = findKind(noun);
  return entry && { kind: entry.kind, words };
}

/**
 * Prints what a kind or a field is for, without asking a plane.
 *
 * @throws CliFailure `usage` for a field that is none; the message suggests the nearest one.
 */
export function printFieldDocs(context: CliContext, word: string, isRecursive: boolean): void {
  const { kind, words } = splitFieldPath(word) ?? {};
  if (kind === undefined || words === undefined) throw wrongUsage(`"${word}" is no kind, nor a field of one`);
  const found = fieldDocs(kind, words);
  if (!found.ok) throw wrongUsage(found.message);
  const { docs } = found;
  context.outcome.put(docsJson(docs, isRecursive ? Number.POSITIVE_INFINITY : 1));
  const { io } = context;
  printLine(io, [toned("head", docs.path), `: ${typeText(docs)}`]);
  if (docs.description !== "") printLine(io, `  ${docs.description}`);
  const width = Math.max(0, ...docs.rules.map(([about]) => about.length));
  for (const [about, text] of docs.rules) printLine(io, `  ${about.padEnd(width)}  ${text}`);
  if (docs.fields.length === 0) return;
  printLine(io, "");
  const rows = isRecursive
    ? treeRows(docs, `${docs.path}.`)
    : docs.fields.map((field) => [nameOf(field), typeText(field), field.description]);
  printLines(
    io,
    tableLines(isRecursive ? ["FIELD", "TYPE"] : ["FIELD", "TYPE", "MEANING"], rows, { ...io, columns: undefined }),
  );
}

/** Every field below, by its path from the first. */
function treeRows({ fields }: FieldDocs, start: string): [field: string, type: string][] {
  return fields.flatMap((field) => [
    [field.path.slice(start.length), typeText(field)] as [string, string],
    ...(field.isReadOnly ? [] : treeRows(field, start)),
  ]);
}

function nameOf({ path }: FieldDocs): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function typeText({ type, isRequired, isReadOnly }: FieldDocs): string {
  return `${type}${isRequired ? ", required" : ""}${isReadOnly ? ", read-only" : ""}`;
}

/** @param depth How many levels of fields it has. */
function docsJson({ fields, rules, ...docs }: FieldDocs, depth: number): JsonObject {
  return {
    ...docs,
    rules: rules.map(([about, text]) => ({ about, text })),
    fields: depth === 0 ? [] : fields.map((field) => docsJson(field, depth - 1)),
  };
}
