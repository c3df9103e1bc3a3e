import type { DescMessage, JsonObject, MessageShape } from "@bufbuild/protobuf";
import { messageJson } from "./data-text.ts";
import { EXIT, type ExitCode } from "./exit.ts";

/** What a command leads to, beside the lines that people read: its exit code, and with `-o json` its one document. */
export class Outcome {
  exitCode: ExitCode = EXIT.done;
  #fields: JsonObject | undefined;

  /** The document so far; nothing when the command printed its own, or has nothing to tell. */
  get document(): JsonObject | undefined {
    return this.#fields;
  }

  /** Adds fields to the document. */
  put(fields: JsonObject): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  /** Adds an answer of the API, in its JSON form. */
  putAnswer<Desc extends DescMessage>(desc: Desc, answer: MessageShape<Desc>): void {
    this.put(messageJson(desc, answer) as JsonObject);
  }

  /** Ends a dry run: only `--detailed-exitcode` tells by the exit code that it would change something. */
  endDryRun(flags: { readonly dryRun?: true; readonly detailedExitcode?: true }, hasChanges: boolean): void {
    if (flags.dryRun !== true) return;
    this.put({ dryRun: true, hasChanges });
    if (hasChanges && flags.detailedExitcode === true) this.exitCode = EXIT.hasChanges;
  }
}
