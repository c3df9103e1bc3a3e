import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { KINDS, titleOf } from "../domain/name.ts";
import type { ImportedObjectSchema } from "../gen/fairlead/admin/v1/archive_pb.ts";
import { isApplied } from "../schema/kinds/registry.ts";
import { type ChosenKind, MANIFEST_KINDS, manifestKind } from "../schema/object-json.ts";
import { yamlText } from "./data-text.ts";
import type { DocumentText } from "./document-stream.ts";
import { isEmptyDocument, type ManifestProblem, parseYaml, readDocument } from "./manifest.ts";

/** Kind of the document that an export begins with, which says where it comes from. */
const HEAD_KIND = "Export";
/** Kinds whose objects come from observers, and are in no other manifests. */
const OBSERVED = KINDS.filter((kind) => !isApplied(kind));
/** Fields that an export leaves out, since they mean nothing in another epoch. */
const LEFT_OUT = ["version", "requestId"];

/** Manifests of a whole state: like those of `apply`, but with verdicts and the `meta` of each object. */
export type StateDocument =
  | { readonly kind: "object"; readonly object: MessageInitShape<typeof ImportedObjectSchema>; readonly line: number }
  | { readonly kind: "head"; readonly revision: string }
  | { readonly kind: "problems"; readonly problems: readonly ManifestProblem[] };

export function headText({ revision, objects }: { readonly revision: string; readonly objects: number }): string {
  return [
    `# The whole state, ${objects} objects. \`fairlead import\` replaces the state with what is written here.`,
    "# `meta` says which object it is; leave it out for a new one. History is not included: see `fairlead backup`.",
    yamlText({ kind: HEAD_KIND, revision }),
  ].join("\n");
}

/** One object as a document, without the line that separates it from the one before. */
export function objectText(title: string, json: JsonObject): string {
  const { meta, ...rest } = json;
  const kept = Object.entries((meta ?? {}) as JsonObject).filter(([field]) => !LEFT_OUT.includes(field));
  const { name, ...fields } = rest;
  const named = name === undefined ? {} : { name };
  return yamlText({ kind: title, ...named, meta: Object.fromEntries(kept), ...fields }, { lineWidth: 0 });
}

/** Reads the document between two `---`; there is none when there are only comments. */
export function readStateDocuments(file: string, { text, line }: DocumentText): readonly StateDocument[] {
  const { documents, lines } = parseYaml(text);
  return documents.flatMap((document): StateDocument[] => {
    if (isEmptyDocument(document)) return [];
    if (document.errors.length === 0 && document.get("kind") === HEAD_KIND) {
      const revision = document.get("revision");
      return [{ kind: "head", revision: typeof revision === "string" ? revision : "" }];
    }
    const { object, problems } = readDocument({ file, document, lines, firstLine: line }, stateKind);
    if (object === undefined) return [{ kind: "problems", problems }];
    const { kind, message } = object;
    const imported = isApplied(kind)
      ? { case: "any", value: { object: { case: kind, value: message } } }
      : { case: kind, value: message };
    return [{ kind: "object", object: { object: imported } as MessageInitShape<typeof ImportedObjectSchema>, line }];
  });
}

function stateKind(word: unknown): ChosenKind {
  const observed = OBSERVED.find((kind) => titleOf(kind) === word);
  if (observed !== undefined) return { ok: true, kind: observed };
  const chosen = manifestKind(word);
  if (chosen.ok || typeof word === "string") return chosen;
  return { ok: false, message: `must be one of ${[...MANIFEST_KINDS.keys(), ...OBSERVED.map(titleOf)].join(", ")}` };
}
