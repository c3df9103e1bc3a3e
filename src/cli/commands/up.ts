import { Command } from "commander";
import { CliFailure, EXIT } from "../exit.ts";

/** Listed here for the help and for completion; the entry of the program runs it. */
export function upCommand(): Command {
  return new Command("up")
    .description("Start the plane; `fairlead up --help` shows its options")
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw new CliFailure(EXIT.usage, "`up` must be the first word: fairlead up [options]");
    });
}
