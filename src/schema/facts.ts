import type { DescField, DescMessage, JsonValue, Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { type Duration, FeatureSet_FieldPresence as Presence } from "@bufbuild/protobuf/wkt";
import {
  checkCount,
  checkDuration,
  checkEntries,
  checkLength,
  checkRange,
  joinPath,
  type Report,
} from "./field-checks.ts";
import { heldValues } from "./message-fields.ts";

/*
 * What is true of every good value of a field, by itself. It is said once, beside the kind: the plane checks objects by it,
 * and the JSON Schema and `fairlead explain` tell it. What several fields decide together is checked where a kind is parsed.
 */

/** How the text of a field looks. */
export interface TextForm {
  /** For JSON Schema: every text that `read` lets pass matches each of them, and most others do not. Without flags. */
  readonly patterns?: readonly RegExp[];
  /** The only good texts. */
  readonly values?: readonly string[];
  readonly isNeverEmpty?: true;
  /** In characters. */
  readonly maxLength?: number;
  /** Reports what else is wrong with a text. @returns Its canonical spelling. */
  readonly read?: (report: Report, field: string, text: string) => string;
}

export interface Fact {
  /** Text that must be given. Numbers must be given where their least value is above 0, and lists where `count.min` is 1. */
  readonly required?: true;
  /** Of a number. */
  readonly range?: { readonly min: number; readonly max: number };
  /** What to do instead of writing 0, where leaving the field out is not what is meant. */
  readonly cure?: string;
  /** Of a duration. */
  readonly time?: {
    readonly minMs: number;
    readonly maxMs: number;
    readonly otherwiseMs?: number | undefined;
    /** Why a shorter one will not do, where that is not plain. */
    readonly tooShort?: string;
  };
  /** Of the text, or of each text in a list. */
  readonly text?: TextForm;
  readonly maxBytes?: number;
  /** Of a flag that says nothing when it is false. */
  readonly isOnlyTrue?: true;
  /** How many entries a list has; a list that may be left out may also be empty, whatever the minimum. */
  readonly count?: { readonly min?: number; readonly max?: number };
  /** No two texts of a list are the same. */
  readonly isUnique?: true;
  readonly entries?: {
    readonly max: number;
    readonly keyLength: number;
    readonly valueLength: number;
    readonly key?: TextForm;
    readonly value?: TextForm;
  };
  /** What a field counts as that is left out, as manifests write it; that of a duration is in `time`. */
  readonly otherwise?: JsonValue;
}

/** Fields of which exactly one must be given. */
export interface OneOf {
  readonly fields: readonly string[];
  /** What is said when there is none of them, and of which field. */
  readonly missing?: { readonly field: string; readonly message: string };
}

export interface MessageFacts {
  readonly desc: DescMessage;
  readonly fields: Readonly<Record<string, Fact>>;
  readonly oneOf?: OneOf;
}

type FieldName<M> = {
  [K in Exclude<keyof M & string, keyof Message>]: M[K] extends { case: string | undefined }
    ? Exclude<M[K]["case"], undefined>
    : K;
}[Exclude<keyof M & string, keyof Message>];

export function factsOf<M extends Message>(
  desc: GenMessage<M>,
  fields: { readonly [F in FieldName<M>]?: Fact },
  oneOf?: OneOf & { readonly fields: readonly FieldName<M>[] },
): MessageFacts {
  return { desc, fields: fields as Readonly<Record<string, Fact>>, ...(oneOf && { oneOf }) };
}

/** A message's fields of which something is known, themselves or inside of them. */
interface Plan {
  readonly oneOf: { readonly fields: readonly DescField[]; readonly missing: OneOf["missing"] } | undefined;
  readonly steps: readonly Step[];
}

interface Step {
  readonly field: DescField;
  readonly fact: Fact | undefined;
  readonly inner: Plan | undefined;
}

/** Finds out once for each message which of its fields have to be looked at: 100,000 objects are read at a start. */
export function planFacts(known: ReadonlyMap<string, MessageFacts>): (desc: DescMessage) => Plan | undefined {
  const plans = new Map<string, Plan | undefined>();
  return planOf;

  function planOf(desc: DescMessage): Plan | undefined {
    if (plans.has(desc.typeName)) return plans.get(desc.typeName);
    const facts = known.get(desc.typeName);
    const steps: Step[] = [];
    const plan: Plan = { oneOf: facts?.oneOf && groupOf(desc, facts.oneOf), steps };
    // Set first: a message may hold others of its own type.
    plans.set(desc.typeName, facts && plan);
    for (const field of desc.fields) {
      const fact = facts?.fields[field.localName];
      const inner = field.message && planOf(field.message);
      if (fact !== undefined || inner !== undefined) steps.push({ field, fact, inner });
    }
    if (steps.length > 0) plans.set(desc.typeName, plan);
    return plans.get(desc.typeName);
  }
}

function groupOf(desc: DescMessage, { fields, missing }: OneOf): Plan["oneOf"] {
  return { fields: desc.fields.filter(({ localName }) => fields.includes(localName)), missing };
}

/** Reports what contradicts the facts, and gives texts their canonical spelling, in place. */
export function checkFacts({ oneOf, steps }: Plan, message: Message, path: string, report: Report): void {
  if (oneOf !== undefined) checkOneOf(oneOf, message, path, report);
  for (const { field, fact, inner } of steps) {
    const [holder, name] = placeOf(field, message);
    const value = holder?.[name];
    if (holder === undefined || isLeftOut(field, fact, value)) continue;
    const at = joinPath(path, field.jsonName);
    if (typeof value === "string") {
      if (fact?.text !== undefined) holder[name] = readText(fact.text, report, at, value);
      continue;
    }
    if (fact !== undefined) checkValue(field, fact, value, at, report);
    if (inner === undefined) continue;
    if (field.fieldKind === "message") checkFacts(inner, value as Message, at, report);
    else
      for (const [place, each] of heldValues(field, message))
        checkFacts(inner, each as Message, joinPath(path, place), report);
  }
}

type Fields = Record<string, unknown>;

/** What holds the value of a field, and by which name; nothing does where another field of its group was chosen. */
function placeOf({ oneof, localName }: DescField, fields: Fields): readonly [holder: Fields | undefined, name: string] {
  if (oneof === undefined) return [fields, localName];
  const group = fields[oneof.localName] as Fields;
  return [group["case"] === localName ? group : undefined, "value"];
}

/** Whether a field is absent, as most are; such a field is not checked. */
function isLeftOut({ oneof }: DescField, fact: Fact | undefined, value: unknown): boolean {
  if (value === "") return oneof === undefined && fact?.required !== true;
  return value === undefined || (Array.isArray(value) && value.length === 0 && fact?.count?.min !== 1);
}

function checkOneOf({ fields, missing }: NonNullable<Plan["oneOf"]>, message: Message, path: string, report: Report) {
  const [first, second] = fields.filter((field) => heldValues(field, message).length > 0);
  if (first === undefined) {
    const names = fields.map(({ jsonName }) => `\`${jsonName}\``).join(", ");
    report(joinPath(path, missing?.field ?? ""), missing?.message ?? `must have one of ${names}`);
  } else if (second !== undefined) {
    report(joinPath(path, second.jsonName), `must not be given together with \`${first.jsonName}\``);
  }
}

function checkValue(field: DescField, fact: Fact, value: unknown, path: string, report: Report): void {
  const { range, time, maxBytes } = fact;
  if (field.fieldKind === "list") checkList(fact, value as unknown[], path, report);
  else if (field.fieldKind === "map") checkMap(fact, value as Readonly<Record<string, string>>, path, report);
  else if (range !== undefined) {
    const { cure = "leave it out for the default" } = fact;
    checkRange(report, path, Number(value), field.presence === Presence.EXPLICIT ? { ...range, cure } : range);
  } else if (time !== undefined) checkDuration(report, path, value as Duration, time);
  else if (fact.isOnlyTrue === true && value !== true) report(path, "must be true, or left out");
  else if (maxBytes !== undefined && (value as Uint8Array).length > maxBytes)
    report(path, `must have at most ${maxBytes} bytes, not ${(value as Uint8Array).length}`);
}

function checkList({ count = {}, text, isUnique }: Fact, list: unknown[], path: string, report: Report): void {
  const { min = 0, max = Number.POSITIVE_INFINITY } = count;
  if (list.length === 0 && min > 0) report(path, "must not be empty");
  else if (list.length < min) report(path, `must have at least ${min} entries, not ${list.length}`);
  checkCount(report, path, list.length, { max });
  if (text === undefined) return;
  const name = path.slice(path.lastIndexOf(".") + 1);
  const first = new Map<unknown, number>();
  for (const [i, each] of list.slice(0, max).entries()) {
    list[i] = readText(text, report, `${path}[${i}]`, each as string);
    const earlier = first.get(list[i]);
    if (earlier === undefined) first.set(list[i], i);
    else if (isUnique === true) report(`${path}[${i}]`, `must differ from ${name}[${earlier}]`);
  }
}

function checkMap({ entries }: Fact, map: Readonly<Record<string, string>>, path: string, report: Report): void {
  if (entries === undefined) return;
  const { key: keyForm, value: valueForm, ...limits } = entries;
  checkEntries(report, path, map, limits);
  for (const [key, value] of Object.entries(map)) {
    const place = `${path}.${key.slice(0, limits.keyLength)}`;
    if (keyForm !== undefined) readText(keyForm, report, place, key);
    if (valueForm !== undefined) readText(valueForm, report, place, value);
  }
}

function readText(form: TextForm, report: Report, field: string, text: string): string {
  const { values, isNeverEmpty, maxLength, read } = form;
  if (isNeverEmpty === true && text === "") report(field, "must not be empty");
  if (values?.includes(text) === false) report(field, `must be one of ${values.join(", ")}, not "${text}"`);
  if (maxLength !== undefined) checkLength(report, field, text, maxLength);
  return read?.(report, field, text) ?? text;
}
