import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Document, isMap, isScalar, LineCounter, parseAllDocuments } from "yaml";
import type { AnyObjectSchema } from "../gen/fairlead/admin/v1/apply_pb.ts";
import type { MessageOf } from "../schema/kinds/registry.ts";
import { type ChosenKind, manifestKind, messageFromJson } from "../schema/object-json.ts";
import type { Kind } from "./kind-entry.ts";
import type { ManifestSource } from "./manifest-files.ts";
import { type Place, PlaceFinder } from "./manifest-place.ts";
import { syntaxProblems } from "./manifest-syntax.ts";
import { cellText, columnWidth, padCell } from "./table.ts";

/** One object of a manifest, in the API's form. */
export interface ManifestObject {
  readonly file: string;
  readonly any: MessageInitShape<typeof AnyObjectSchema>;
  /** Where a field of the object stands. */
  placeOf(field: string): Place;
}

export interface ManifestProblem {
  readonly file: string;
  /** Absent when the problem is about something that was not given. */
  readonly place?: Place;
  /** `rules[0].match.path.prefx`; empty when it is about the whole document. */
  readonly field: string;
  readonly message: string;
}

export interface ParsedManifests {
  readonly objects: readonly ManifestObject[];
  /** In the order of the text. If there are any, nothing must be sent. */
  readonly problems: readonly ManifestProblem[];
}

/** More aliases than this in one document are an attempt to blow it up. */
const ALIASES_MAX = 100;

/** Reads objects from YAML or JSON texts. Goes on after a problem, so one run shows all of them. */
export function parseManifests(sources: readonly ManifestSource[]): ParsedManifests {
  const objects: ManifestObject[] = [];
  const problems: ManifestProblem[] = [];
  const seen = new Map<string, string>();
  for (const { file, text } of sources) {
    const { documents, lines } = parseYaml(text);
    for (const document of documents) {
      if (isEmptyDocument(document)) continue;
      const found = readDocument({ file, document, lines }, manifestKind);
      problems.push(...found.problems);
      if (found.object === undefined) continue;
      const { kind, message, placeOf } = found.object;
      const any = { object: { case: kind, value: message } } as MessageInitShape<typeof AnyObjectSchema>;
      const object = { file, any, placeOf };
      const twice = noteDuplicate(seen, object);
      if (twice === undefined) objects.push(object);
      else problems.push(twice);
    }
  }
  return { objects, problems };
}

/** The documents of a text, with what is wrong in them; keeps the library from printing warnings itself. */
export function parseYaml(text: string): { documents: readonly Document.Parsed[]; lines: LineCounter } {
  const lines = new LineCounter();
  const options = {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    merge: true,
    logLevel: "error",
  } as const;
  return { documents: parseAllDocuments(text, options), lines };
}

/** `typo.yaml:14:7  rules[0].match.path.prefx   unknown field; did you mean "prefix"?`, aligned over all problems. */
export function problemLines(problems: readonly ManifestProblem[]): string[] {
  const rows = problems.map(({ file, place, field, message }) => [
    cellText(place === undefined ? file : `${file}:${place.line}:${place.column}`),
    cellText(field),
    message,
  ]);
  const width = (column: number) => columnWidth(rows.map((row) => row[column] ?? ""));
  const [first, second] = [width(0), width(1)];
  return rows.map(([at = "", field = "", message = ""]) =>
    second === 0
      ? `${padCell(at, first)}  ${message}`
      : `${padCell(at, first)}  ${padCell(field, second)}   ${message}`,
  );
}

/** A document and where its text stands. */
export interface PlacedDocument {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  /** Line of the file at which the text begins; default 1. */
  readonly firstLine?: number;
}

/** An object of a kind that the caller chose by the word in its `kind` field. */
export interface ReadObject<K extends Kind> {
  readonly kind: K;
  readonly message: MessageOf[K];
  placeOf(this: void, field: string): Place;
}

export function readDocument<K extends Kind>(
  { file, document, lines, firstLine }: PlacedDocument,
  kindOf: (word: unknown) => ChosenKind<K>,
): { object?: ReadObject<K>; problems: readonly ManifestProblem[] } {
  const finder = new PlaceFinder(document, lines, firstLine);
  const syntax = syntaxProblems(document, (offset) => {
    const { line, column } = finder.placeAt(offset);
    return `${line}:${column}`;
  });
  if (syntax.length > 0) {
    return {
      problems: syntax.map(({ offset, message }) => ({ file, place: finder.placeAt(offset), field: "", message })),
    };
  }
  const at = (field: string, message: string): ManifestProblem => ({
    file,
    place: finder.placeOf(field),
    field,
    message,
  });
  if (!isMap(document.contents))
    return { problems: [at("", "is not an object: a manifest has `kind:` and the fields of that kind")] };
  const json = plainValue(document);
  if (json === undefined)
    return { problems: [at("", `its aliases expand to more than ${ALIASES_MAX} times what is written`)] };
  const { kind: word, ...fields } = json;
  const chosen = kindOf(word);
  if (!chosen.ok)
    return { problems: [at("kind", word === undefined ? `is missing; ${chosen.message}` : chosen.message)] };
  const parsed = messageFromJson(chosen.kind, fields);
  if (!parsed.ok) return { problems: parsed.violations.map(({ field, message }) => at(field, message)) };
  const { message } = parsed;
  return { object: { kind: chosen.kind, message, placeOf: (field) => finder.placeOf(field) }, problems: [] };
}

/** Whether there are only comments between two `---`. */
export function isEmptyDocument({ contents, errors }: Document.Parsed): boolean {
  return errors.length === 0 && (contents === null || (isScalar(contents) && contents.value === null));
}

function noteDuplicate(seen: Map<string, string>, object: ManifestObject): ManifestProblem | undefined {
  const { case: kind, value } = object.any.object ?? {};
  const key = `${kind} ${value?.name}`;
  const place = object.placeOf("name");
  const first = seen.get(key);
  if (first !== undefined)
    return { file: object.file, place, field: "name", message: `${key} is already given at ${first}` };
  seen.set(key, `${object.file}:${place.line}:${place.column}`);
  return undefined;
}

function plainValue(document: Document): Record<string, unknown> | undefined {
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX }) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}
