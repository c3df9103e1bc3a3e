import type { Argument, Command, Option } from "commander";
import { KIND_ENTRIES } from "./kinds.ts";

/**
 * What may stand where the cursor is. `words` are those after the program's name; the last one is being typed. Empty
 * where a file or anything else may stand.
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

/** What only a plane knows: names of a kind, of proxies, or the generations of one object. */
export type Wanted =
  | { readonly of: "kind" | "node"; readonly kind: string }
  | { readonly of: "generations"; readonly kind: string; readonly name: string };

/** What a plane is to be asked for; nothing where no name of its objects stands. */
export function wantedNames(program: Command, words: readonly string[]): Wanted | undefined {
  const { command, operands, pending } = readWords(program, words.slice(0, -1));
  const [kind = "", name = ""] = operands;
  if (pending !== undefined) {
    return pending.long === "--to" && name !== "" ? { of: "generations", kind, name } : undefined;
  }
  if (words.at(-1)?.startsWith("-") === true) return undefined;
  const argument = command?.registeredArguments[operands.length]?.name();
  if (argument === "name" && operands.length === 1) return { of: "kind", kind };
  if (argument === "node" || (argument === "name" && command?.name() === "node")) return { of: "node", kind: "node" };
  if (argument === "name" && command?.name() === "health") return { of: "kind", kind: "backend" };
  // Where a new one is registered, those that are there are no help.
  const isNew = command?.name() === "register";
  return KIND_ENTRIES.some((entry) => entry.kind === argument) && !isNew
    ? { of: "kind", kind: argument ?? "" }
    : undefined;
}

interface Reading {
  readonly command: Command | undefined;
  /** The arguments of the command that are complete. */
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
      const inner: Command | undefined = command.commands.find((candidate) => candidate.name() === word);
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
  if (command.commands.length > 0) return command.commands.map((one) => one.name());
  const argument = command.registeredArguments[operands] ?? command.registeredArguments.at(-1);
  return argument === undefined ? [] : argumentValues(argument, operands, command.registeredArguments.length);
}

function argumentValues(argument: Argument, operands: number, count: number): readonly string[] {
  if (operands >= count && !argument.variadic) return [];
  if (argument.name() === "kind") return KIND_ENTRIES.map(({ kind }) => kind);
  return argument.argChoices ?? [];
}
