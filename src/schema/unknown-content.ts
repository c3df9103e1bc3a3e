import type { DescEnum, DescField, DescMessage, Message } from "@bufbuild/protobuf";

/** A part of a message that this release does not know: a field by its number, or a value of an enum. */
export interface UnknownPart {
  readonly kind: "field" | "value";
  /** The path of the message or field that holds it, as the user writes it; empty for the message itself. */
  readonly path: string;
  /** `Service has no field 17`, `Protocol has no value 4`. */
  readonly message: string;
}

/**
 * What a message, with all messages in it, holds that this release does not know. Cheap where there is nothing, as each
 * object that is read is checked.
 *
 * @param limit At most this many are looked for.
 */
export function unknownContent(desc: DescMessage, message: Message, limit = 20): readonly UnknownPart[] {
  const found: UnknownPart[] = [];
  look(desc, message, "", (part) => found.push(part) < limit);
  return found;
}

type Tell = (part: UnknownPart) => boolean;

/** Returns whether to go on looking. */
function look(desc: DescMessage, message: Message, path: string, tell: Tell): boolean {
  for (const { no } of message.$unknown ?? []) {
    if (!tell({ kind: "field", path, message: `${desc.name} has no field ${no}` })) return false;
  }
  for (const field of desc.fields) {
    const { message: inner, enum: values } = field;
    if (inner === undefined && values === undefined) continue;
    const value = heldBy(message, field);
    if (value === undefined) continue;
    const at = path === "" ? field.jsonName : `${path}.${field.jsonName}`;
    const isFine = (one: unknown, where: string) =>
      inner === undefined ? lookAtEnum(values, one, where, tell) : look(inner, one as Message, where, tell);
    if (field.fieldKind === "list") {
      if (!(value as readonly unknown[]).every((one, i) => isFine(one, `${at}[${i}]`))) return false;
    } else if (field.fieldKind === "map") {
      if (!Object.entries(value as object).every(([key, one]) => isFine(one, `${at}[${key}]`))) return false;
    } else if (!isFine(value, at)) return false;
  }
  return true;
}

function lookAtEnum(desc: DescEnum | undefined, value: unknown, path: string, tell: Tell): boolean {
  if (desc === undefined || desc.value[value as number] !== undefined) return true;
  return tell({ kind: "value", path, message: `${desc.name} has no value ${String(value)}` });
}

function heldBy(message: Message, { localName, oneof }: DescField): unknown {
  const held = message as unknown as Readonly<Record<string, unknown>>;
  if (oneof === undefined) return held[localName];
  const chosen = held[oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return chosen.case === localName ? chosen.value : undefined;
}
