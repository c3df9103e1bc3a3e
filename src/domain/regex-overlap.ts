import { RE2JS } from "re2js";
import type { TextShape } from "./text-shape.ts";

/** An instruction of a compiled expression, as in RE2. */
export interface Instruction {
  readonly op: number;
  readonly out: number;
  /** In an alternative: the other branch. For a letter in either case: 1. */
  readonly arg: number;
  /** Pairs of the first and last character of a range, in order; a single one is one character. */
  readonly runes: Int32Array | readonly number[];
  matchRune(codePoint: number): boolean;
}
interface Program {
  readonly start: number;
  readonly inst: readonly Instruction[];
}
const OP = { alternative: 1, alternativeMatch: 2, fail: 5, match: 6, firstRune: 8, lastRune: 11 } as const;

/** Undefined for anything that is not an expression. */
export function programOf(regex: string): Program | undefined {
  try {
    return RE2JS.compile(regex).re2().prog as Program;
  } catch {
    return undefined;
  }
}

const CODES = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));
/** Letters first and invisible characters last, since the text that is found is shown. */
const ASCII = [/[a-z]/, /[A-Z0-9]/, /[^\w\0- \x7f]|_/, /[\0- \x7f]/].flatMap((kind) =>
  CODES.filter((one) => kind.test(one)),
);

/**
 * A text of the shape that the whole expression matches; undefined when there is none. The shape treats all characters
 * beyond ASCII alike. Assertions such as `\b` are taken to hold, so a text that is found may not really match; undefined is
 * certain. Looks at each instruction in each state of the shape once.
 */
export function textInBoth({ start, inst }: Program, shape: TextShape): string | undefined {
  const seen = inst.map(() => new Set<string>());
  const open: { readonly at: number; readonly state: string; readonly text: string }[] = [];
  const go = (at: number, state: string, text: string): void => {
    if (seen[at]?.has(state) !== false) return;
    seen[at].add(state);
    open.push({ at, state, text });
  };
  const stepsOf = stepsOver(shape);
  go(start, shape.start, "");
  for (let here = open.pop(); here !== undefined; here = open.pop()) {
    const { at, state, text } = here;
    const instruction = inst[at];
    if (instruction === undefined || instruction.op === OP.fail) continue;
    const { op, out, arg } = instruction;
    if (op === OP.match) {
      if (shape.isWhole(state)) return text;
    } else if (op >= OP.firstRune && op <= OP.lastRune) {
      for (const [next, character] of stepsOf(instruction, state)) go(out, next, text + character);
    } else {
      go(out, state, text);
      // The way out of a repetition, which is tried first.
      if (op === OP.alternative || op === OP.alternativeMatch) go(arg, state, text);
    }
  }
  return undefined;
}

/** The states that an instruction's characters lead to, each with the first that does; equal instructions share them. */
function stepsOver(shape: TextShape): (instruction: Instruction, state: string) => Iterable<[string, string]> {
  const characters = new Map<string, readonly string[]>();
  const steps = new Map<string, Map<string, string>>();
  return (instruction, state) => {
    const kind = `${instruction.arg} ${instruction.runes.join()}`;
    const key = `${state} ${kind}`;
    const known = steps.get(key);
    if (known !== undefined) return known;
    const own = characters.get(kind) ?? charactersOf(instruction);
    characters.set(kind, own);
    const found = new Map<string, string>();
    for (const character of own) {
      const next = shape.step(state, character);
      if (next !== undefined && !found.has(next)) found.set(next, character);
    }
    steps.set(key, found);
    return found;
  };
}

/** The ASCII characters that it matches, and one that stands for all others. */
function charactersOf(instruction: Instruction): readonly string[] {
  const last = instruction.runes.at(-1) ?? 0;
  if (instruction.runes.length === 1 && instruction.arg === 0) return [String.fromCodePoint(last)];
  const beyond = last < 0x80 ? [] : [String.fromCodePoint(last)];
  return [...ASCII.filter((character) => instruction.matchRune(character.charCodeAt(0))), ...beyond];
}
