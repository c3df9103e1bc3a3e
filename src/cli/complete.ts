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
  const all = pending === undefined ? offered(program, command, { operands, typed }) : (pending.argChoices ?? []);
  return all.filter((word) => word.startsWith(typed));
}

interface Reading {
  readonly command: Command | undefined;
  /** How many arguments of the command are complete. */
  readonly operands: number;
  /** The option whose value is being typed. */
  readonly pending: Option | undefined;
}

function readWords(program: Command, words: readonly string[]): Reading {
  let command: Command | undefined;
  let operands = 0;
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
      operands += 1;
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
  const argument = command.registeredArguments[operands] ?? command.registeredArguments.at(-1);
  return argument === undefined ? [] : argumentValues(argument, operands, command.registeredArguments.length);
}

function argumentValues(argument: Argument, operands: number, count: number): readonly string[] {
  if (operands >= count && !argument.variadic) return [];
  if (argument.name() === "kind") return KIND_ENTRIES.map(({ kind }) => kind);
  return argument.argChoices ?? [];
}
