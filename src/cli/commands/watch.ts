import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type WatchEvent, type WatchResponse, WatchResponseSchema } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { messageText } from "../data-text.ts";
import { type CliContext, printLine, printText } from "../io.ts";
import { kindNamed } from "../kinds.ts";
import { type OutputForm, outputOption } from "../options.ts";
import { cellText } from "../table.ts";

interface WatchFlags {
  readonly present?: true;
  readonly from?: string;
  readonly output: OutputForm;
}

export function watchCommand(context: CliContext): Command {
  return new Command("watch")
    .description("Print changes of objects as they happen, until it is interrupted")
    .argument("[kind...]", "only these kinds; default: all")
    .option("--present", "first the objects as they are now")
    .option("--from <revision>", "first the changes since this revision")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
With -o json each line is one message of the API.

Examples:
  fairlead watch
  fairlead watch health backend
  fairlead watch --present -o json`,
    )
    .action((kinds: readonly string[], flags: WatchFlags) => watch(context, kinds, flags));
}

async function watch(context: CliContext, kinds: readonly string[], flags: WatchFlags): Promise<void> {
  const { io } = context;
  const request = { kinds: kinds.map((text) => kindNamed(text).kind), fromRevision: flags.from ?? "" };
  // A watch from a revision has no present state to skip.
  let isShown = flags.present === true || request.fromRevision !== "";
  const answers = context.admin().stream(AdminService.method.watch, request, { signal: io.signal });
  for await (const answer of answers) {
    if (isShown) print(context, answer, flags.output);
    if (answer.synced) isShown = true;
  }
}

function print({ io }: CliContext, answer: WatchResponse, output: OutputForm): void {
  if (output === "json") {
    printText(io, messageText(WatchResponseSchema, answer));
    return;
  }
  const time = new Date(io.clock.now()).toISOString().slice(11, 19);
  for (const event of answer.events) printLine(io, `${time}  ${eventText(event)}`);
}

function eventText({ kind, name, deleted, object, health }: WatchEvent): string {
  if (deleted) return `- ${kind} ${cellText(name)}`;
  const message = health ?? object?.object.value;
  const cells = message === undefined ? [] : kindNamed(kind).show(message).cells;
  // The name is there already; a verdict's is made of two cells.
  const facts = cells.slice(kind === "health" ? 2 : 1).filter((cell) => cell !== "-");
  return `~ ${kind} ${[name, ...facts].map(cellText).join("  ")}`;
}
