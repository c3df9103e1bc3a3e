import type { DescEnum, DescField, DescMessage, DescOneof, Message } from "@bufbuild/protobuf";

/** A part of a message that this release does not know: a field by its number, or a value of an enum. */
export interface UnknownPart {
  readonly kind: "field" | "value";
  /** Of the message or field that holds it, as the user writes it; empty for the message itself. */
  readonly path: string;
  /** `Service has no field 17`, `Protocol has no value 4`. */
  readonly message: string;
}

/**
 * What a message holds that this release does not know, with all that is in it. Cheap where there is nothing, as it is asked
 * of each object that is read.
 *
 * @param limit No more than so many are looked for.
 */
export function unknownContent(desc: DescMessage, message: Message, limit = 20): readonly UnknownPart[] {
  const found: UnknownPart[] = [];
  look(desc, message, "", (part) => found.push(part) < limit);
  return found;
}

type Tell = (part: UnknownPart) => boolean;

/** Says whether to look on. */
function look(desc: DescMessage, message: Message, path: string, tell: Tell): boolean {
  for (const { no } of message.$unknown ?? []) {
    if (!tell({ kind: "field", path, message: `${desc.name} has no field ${no}` })) return false;
  }
  for (const { field, oneof, message: inner, enum: values } of partsOf(desc)) {
    const value = heldBy(message, field, oneof);
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

interface Part {
  readonly field: DescField;
  readonly oneof: DescOneof | undefined;
  /** What it holds: a message, or else an enum's value. */
  readonly message: DescMessage | undefined;
  readonly enum: DescEnum | undefined;
}

const known = new WeakMap<DescMessage, readonly Part[]>();

/** The fields that may hold something unknown. */
function partsOf(desc: DescMessage): readonly Part[] {
  const made =
    known.get(desc) ??
    desc.fields
      .filter((field) => field.message !== undefined || field.enum !== undefined)
      .map((field) => ({ field, oneof: field.oneof, message: field.message, enum: field.enum }));
  known.set(desc, made);
  return made;
}

function heldBy(message: Message, { localName }: DescField, oneof: DescOneof | undefined): unknown {
  const held = message as unknown as Readonly<Record<string, unknown>>;
  if (oneof === undefined) return held[localName];
  const chosen = held[oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return chosen.case === localName ? chosen.value : undefined;
}
