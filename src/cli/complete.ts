import type { Argument, Command, Option } from "commander";
import { fieldDocs } from "../schema/field-docs.ts";
import { splitFieldPath } from "./field-docs-text.ts";
import { KIND_ENTRIES } from "./kinds.ts";
import { findKind, splitReference } from "./object-reference.ts";

/**
 * What may stand at the cursor. `words` are those after the program's name; the last one is being typed. Empty
 * where a file or any other text may stand.
 */
export function candidates(program: Command, words: readonly string[]): string[] {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const { command, operands, pending } = readWords(program, before);
  const all =
    pending === undefined
      ? offered(program, command, { operands: operands.length, typed })
      : (pending.argChoices ?? []);
  return all.filter((word) => word.startsWith(typed));
}

/** What only a plane knows. */
export type Wanted =
  /** Names of a kind, or of proxies for `node`; `before` is a prefix of each: `service/`, where the kind is typed with it. */
  | { readonly kind: string; readonly before: string }
  /** The generations of one object. */
  | { readonly kind: string; readonly generationsOf: string };

/** What to ask a plane for; undefined where no name of its objects can stand. */
export function wantedNames(program: Command, words: readonly string[]): Wanted | undefined {
  const { command, operands, pending } = readWords(program, words.slice(0, -1));
  const [first = "", second = ""] = operands;
  const { kind, name } = splitReference(first);
  if (pending !== undefined) {
    const generationsOf = name ?? second;
    return pending.long === "--to" && generationsOf !== "" ? { kind, generationsOf } : undefined;
  }
  const typed = words.at(-1) ?? "";
  if (command === undefined || typed.startsWith("-")) return undefined;
  const argument = command.registeredArguments[operands.length];
  if (command.commands.length > 0 || (argument?.name() === "kind" && !argument.variadic)) {
    const { kind: before, name: begun } = splitReference(typed);
    return begun === undefined ? undefined : { kind: before, before: `${before}/` };
  }
  const of = kindOfArgument(command.name(), argument?.name(), { kind, hasName: name !== undefined });
  return of === undefined ? undefined : { kind: of, before: "" };
}

/** The kind of objects that an argument names; `node` for proxies. */
function kindOfArgument(
  command: string,
  argument: string | undefined,
  { kind, hasName }: { kind: string; hasName: boolean },
): string | undefined {
  if (argument === "name" && command === "node") return "node";
  if (argument === "name" && command === "health") return "backend";
  if (argument === "name") return hasName ? undefined : kind;
  // The names of existing backends do not help to name a new one.
  if (command === "register") return undefined;
  return argument === "node" ? "node" : findKind(argument ?? "")?.kind;
}

interface Reading {
  readonly command: Command | undefined;
  /** The command's arguments that are complete. */
  readonly operands: readonly string[];
  /** The option whose value is being typed. */
  readonly pending: Option | undefined;
}

function readWords(program: Command, words: readonly string[]): Reading {
  let command: Command | undefined;
  const operands: string[] = [];
  let pending: Option | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined;
    } else if (word.startsWith("-")) {
      const options = [...(command?.options ?? []), ...program.options];
      pending = options.find((option) => takesValue(option) && (option.short === word || option.long === word));
    } else if (command === undefined) {
      command = program.commands.find((candidate) => candidate.name() === word);
    } else {
      const inner: Command | undefined = command.commands.find((candidate) =>
        [candidate.name(), ...candidate.aliases()].includes(word),
      );
      if (inner !== undefined && operands.length === 0) command = inner;
      else operands.push(word);
    }
  }
  return { command, operands, pending };
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function offered(
  program: Command,
  command: Command | undefined,
  { operands, typed }: { operands: number; typed: string },
): readonly string[] {
  if (typed.startsWith("-")) {
    return [...(command?.options ?? []), ...program.options].flatMap(({ long }) => (long === undefined ? [] : [long]));
  }
  if (command === undefined) return program.commands.map((one) => one.name());
  if (command.name() === "explain" && typed.includes(".")) return pathsOfFields(typed);
  if (command.commands.length > 0) {
    const visible = command.createHelp().visibleCommands(command);
    return command.commands.filter((one) => visible.includes(one)).map((one) => one.name());
  }
  const argument = command.registeredArguments[operands] ?? command.registeredArguments.at(-1);
  return argument === undefined ? [] : argumentValues(argument, operands, command.registeredArguments.length);
}

/** `service.healthCheck`, `service.hosts`, … for `service.h`. */
function pathsOfFields(typed: string): readonly string[] {
  const begun = typed.slice(0, typed.lastIndexOf(".") + 1);
  const { kind, words } = splitFieldPath(begun.slice(0, -1)) ?? {};
  const found = kind === undefined ? undefined : fieldDocs(kind, words ?? []);
  if (found?.ok !== true) return [];
  return found.docs.fields.map(({ path }) => begun + path.slice(path.lastIndexOf(".") + 1));
}

function argumentValues(argument: Argument, operands: number, count: number): readonly string[] {
  if (operands >= count && !argument.variadic) return [];
  if (argument.name() === "kind") return KIND_ENTRIES.map(({ kind }) => kind);
  return argument.argChoices ?? [];
}
