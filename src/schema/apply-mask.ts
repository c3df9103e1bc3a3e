import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Checked } from "../domain/errors.ts";
import type { Kind } from "../domain/name.ts";
import { didYouMean } from "./did-you-mean.ts";
import { collectViolations, type Report } from "./field-checks.ts";
import type { MessageOf } from "./kinds/registry.ts";
import { fieldNamed, fieldNames } from "./message-fields.ts";
import { cloneMessage, descriptorOf, outputOnly } from "./object-message.ts";

/**
 * The stored message with the fields of a patch that an update mask names. A path names a field or, through messages, one
 * inside: `outlier_detection.interval`; lists and maps are replaced whole; a field that the patch does not set is cleared.
 * No paths, or `*`: the patch replaces everything that a client can write. Output-only fields stay as stored.
 */
export function mergeMasked<K extends Kind>(
  kind: K,
  stored: MessageOf[K],
  patch: MessageOf[K],
  paths: readonly string[],
): Checked<{ readonly message: MessageOf[K] }> {
  if (paths.length === 0 || paths.includes("*")) return { ok: true, message: replaceSpec(kind, stored, patch) };
  const { report, violations } = collectViolations();
  const desc = descriptorOf(kind);
  const message = cloneMessage(kind, stored);
  const source = cloneMessage(kind, patch);
  for (const path of paths) {
    const fields = resolve(desc, path, report);
    const [first] = fields;
    if (first === undefined) continue;
    if (outputOnly(kind).includes(first.jsonName)) report(path, "must not be named: it is output only");
    else if (first.name !== "name") copyField(reflect(desc, message), reflect(desc, source), fields);
  }
  return violations.length === 0 ? { ok: true, message } : { ok: false, violations };
}

function replaceSpec<K extends Kind>(kind: K, stored: MessageOf[K], patch: MessageOf[K]): MessageOf[K] {
  const desc = descriptorOf(kind);
  const message = cloneMessage(kind, patch);
  const [target, source] = [reflect(desc, message), reflect(desc, cloneMessage(kind, stored))];
  for (const field of desc.fields) if (outputOnly(kind).includes(field.jsonName)) copyField(target, source, [field]);
  return message;
}

/** The fields along a path, which has proto or JSON names; none when it does not exist. */
function resolve(desc: DescMessage, path: string, report: Report): readonly DescField[] {
  const fields: DescField[] = [];
  let inside: DescMessage | undefined = desc;
  for (const word of path.split(".")) {
    const field = fieldNamed(inside, word);
    if (field === undefined) {
      report(
        path,
        inside === undefined
          ? "must not lead into a field without fields; name that field as a whole"
          : `unknown field${hint(inside, word)}`,
      );
      return [];
    }
    fields.push(field);
    inside = field.fieldKind === "message" ? field.message : undefined;
  }
  return fields;
}

function hint(desc: DescMessage, word: string): string {
  const names = word.includes("_") ? desc.fields.map(({ name }) => name) : fieldNames(desc);
  return didYouMean(word, names);
}

function copyField(target: ReflectMessage, source: ReflectMessage, [field, ...rest]: readonly DescField[]): void {
  if (field === undefined) return;
  const given = source.isSet(field);
  if (rest.length > 0 && field.fieldKind === "message") {
    if (!given && !target.isSet(field)) return;
    if (!target.isSet(field)) target.set(field, reflect(field.message));
    copyField(target.get(field), given ? source.get(field) : reflect(field.message), rest);
  } else if (given) target.set(field, source.get(field));
  else target.clear(field);
}
