import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import type { CliContext } from "../../../src/cli/io.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { runAgainst } from "./fake-plane.ts";

/** The options that only `src/app` knows. */
const store = {
  addOptions: (command: Command) => command.option("--data <dir>", "a store").option("--nats <url>", "another"),
};
const program = buildProgram({ io: { env: {} }, store } as unknown as CliContext);
const COMMANDS = [...commandsIn(program, [])].map(({ command, path }) => ({ command, path, line: path.join(" ") }));

function* commandsIn(parent: Command, before: readonly string[]): Generator<{ command: Command; path: string[] }> {
  for (const command of parent.createHelp().visibleCommands(parent)) {
    if (command.name() === "help") continue;
    const path = [...before, command.name()];
    yield { command, path };
    yield* commandsIn(command, path);
  }
}

const helpOf = async (path: readonly string[]) => (await runAgainst({}, [...path, "--help"], { columns: 120 })).stdout;

describe("the help of every command", () => {
  test("there are commands, and commands within them", () => {
    expect(COMMANDS.map(({ line }) => line)).toEqual(expect.arrayContaining(["apply", "explain request", "version"]));
  });

  test.each(COMMANDS)("says what $line does, and what each of its words and options means", ({ command }) => {
    expect(command.description()).toMatch(/^[A-Z].*[^.]$/);
    for (const argument of command.registeredArguments) expect.soft(argument.description, argument.name()).not.toBe("");
    for (const { flags, description } of command.options) expect.soft(description, flags).toMatch(/^\S.*[^.]$/);
  });

  test.each(COMMANDS)("shows no default of $line in a form that nobody types", async ({ path }) => {
    expect(await helpOf(path)).not.toMatch(/default: [[{]/);
  });

  test.each(COMMANDS)("gives examples of $line that can be typed", async ({ path }) => {
    const examples = (await helpOf(path)).matchAll(/^ {2}(?:.*(?:<\(|\| ))?fairlead ([^|&>#)\n]*)/gm);
    for (const [text, words = ""] of examples) {
      const [name = ""] = words.split(/\s+/).filter((word) => /^[a-z]+$/.test(word));
      const named = COMMANDS.filter(({ path: [first] }) => first === name);
      expect.soft(named, text).not.toEqual([]);
      const options = [program, ...named.map(({ command }) => command)].flatMap((command) => command.options);
      const known = options.flatMap(({ long, short }) => [long, short]);
      for (const [option] of words.matchAll(/(?<= |^)--?[a-z][a-z-]*/gi)) expect.soft(known, text).toContain(option);
    }
  });
});
