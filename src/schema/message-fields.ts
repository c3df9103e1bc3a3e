import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";

/** The values that a field of a message holds, each with its path: one at most, or the elements of a list or map. */
export function heldValues(
  { localName, jsonName, oneof, fieldKind }: DescField,
  message: Message,
): readonly [path: string, value: unknown][] {
  const fields = message as unknown as Readonly<Record<string, object | undefined>>;
  if (oneof !== undefined) {
    const chosen = fields[oneof.localName] as { readonly case?: string; readonly value?: unknown };
    return chosen.case === localName ? [[jsonName, chosen.value]] : [];
  }
  const value = fields[localName];
  if (value === undefined) return [];
  if (fieldKind === "list") return (value as unknown[]).map((each, i) => [`${jsonName}[${i}]`, each]);
  if (fieldKind === "map") return Object.entries(value).map(([key, each]) => [`${jsonName}[${key}]`, each]);
  return [[jsonName, value]];
}

/** The field of this name, as the proto or as JSON writes it. */
export function fieldNamed(desc: DescMessage | undefined, word: string): DescField | undefined {
  return desc?.fields.find(({ name, jsonName }) => name === word || jsonName === word);
}

export function fieldNames(desc: DescMessage): string[] {
  return desc.fields.map(({ jsonName }) => jsonName);
}
