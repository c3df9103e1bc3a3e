import { clearField, clone, type DescField, type DescMessage, type JsonValue, type Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Violation } from "../domain/errors.ts";
import { fieldNamed, heldValues } from "./message-fields.ts";

/*
 * A field that holds a secret is marked `debug_redact` in the proto. The secret is in what is stored and in the domain's
 * object, and in nothing that anyone is shown (law 13). History keeps copies without it, so the parser of such a field may
 * require it only with `whenWritten`.
 */

const WITHHELD = "(withheld)";
const WITHHELD_AND_CHANGED = "(withheld, changed)";

/** Whether a message, or one that it holds, has a field for a secret. */
export function mayHoldSecret(desc: DescMessage, seen: Set<DescMessage> = new Set()): boolean {
  if (seen.has(desc)) return false;
  seen.add(desc);
  return desc.fields.some((field) => isSecret(field) || (field.message && mayHoldSecret(field.message, seen)));
}

/** The part of a message that anyone may be shown: the message itself where it cannot hold a secret. */
export function withoutSecrets<M extends Message>(desc: DescMessage, message: M): M {
  if (!mayHoldSecret(desc)) return message;
  const shown = clone(desc, message);
  clearSecrets(desc, shown);
  return shown as M;
}

function clearSecrets(desc: DescMessage, message: Message): void {
  for (const field of desc.fields) {
    if (isSecret(field)) clearField(message, field);
    else if (field.message !== undefined) {
      for (const [, inner] of heldValues(field, message)) clearSecrets(field.message, inner as Message);
    }
  }
}

/**
 * Gives a write the secrets that it leaves out, from what is stored. To change a secret, give it; to remove one, name its
 * field in an update mask, or leave out the message that holds it.
 */
export function keepSecrets(desc: DescMessage, draft: Message, before: Message, named: readonly string[] = []): void {
  keepIn(reflect(desc, draft), reflect(desc, clone(desc, before)), new Set(named.map(bare)), "");
}

function keepIn(draft: ReflectMessage, before: ReflectMessage, named: ReadonlySet<string>, path: string): void {
  for (const field of draft.fields) {
    const at = `${path}${bare(field.name)}`;
    const isOpen = field.oneof === undefined || draft.oneofCase(field.oneof) === undefined;
    if (!before.isSet(field)) continue;
    if (isSecret(field)) {
      if (!draft.isSet(field) && isOpen && !named.has(at)) draft.set(field, before.get(field));
    } else if (field.fieldKind === "message" && draft.isSet(field)) {
      keepIn(draft.get(field), before.get(field), named, `${at}.`);
    }
  }
}

/** Masks may name fields as the proto does or as JSON does. */
function bare(path: string): string {
  return path.replaceAll("_", "").toLowerCase();
}

/** Replaces secrets with words in two JSON forms of a message that are about to be compared, in place. */
export function markSecrets(desc: DescMessage, before: JsonValue | undefined, after: JsonValue | undefined): void {
  const [from, to] = [fieldsOf(before), fieldsOf(after)];
  for (const field of desc.fields) {
    const { jsonName, message } = field;
    const [old, given] = [from[jsonName], to[jsonName]];
    if (old === undefined && given === undefined) continue;
    if (isSecret(field)) {
      const isNew = old !== undefined && JSON.stringify(old) !== JSON.stringify(given);
      if (old !== undefined) from[jsonName] = WITHHELD;
      if (given !== undefined) to[jsonName] = isNew ? WITHHELD_AND_CHANGED : WITHHELD;
    } else if (message !== undefined) {
      if (field.fieldKind === "message") markSecrets(message, old, given);
      else
        for (const key of Object.keys({ ...fieldsOf(old), ...fieldsOf(given) }))
          markSecrets(message, fieldsOf(old)[key], fieldsOf(given)[key]);
    }
  }
}

function fieldsOf(json: JsonValue | undefined): { [key: string]: JsonValue } {
  return typeof json === "object" && json !== null ? (json as { [key: string]: JsonValue }) : {};
}

/** The violations, without the value where that is a secret. */
export function withoutValues(desc: DescMessage, violations: readonly Violation[]): readonly Violation[] {
  return violations.map((violation) => {
    if (!isInSecret(desc, violation.field)) return violation;
    const message = violation.message.replace(/".*"/s, "the value").replace(/, not .*/s, "");
    return { ...violation, message };
  });
}

/** Whether a path, as a user writes it, leads to a secret or through one. An empty path may lead to any secret. */
function isInSecret(desc: DescMessage, path: string): boolean {
  if (path === "") return mayHoldSecret(desc);
  let inside: DescMessage | undefined = desc;
  for (const word of path.split(/[.[]/)) {
    const field = fieldNamed(inside, word);
    if (field !== undefined && isSecret(field)) return true;
    if (field !== undefined) inside = field.message;
  }
  return false;
}

function isSecret({ proto }: DescField): boolean {
  return proto.options?.debugRedact === true;
}
