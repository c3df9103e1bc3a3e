import { AdminError } from "./admin-error.ts";
import { wrongUsage } from "./exit.ts";
import { type CliIo, printLine, printLines } from "./io.ts";
import { type Line, lineText } from "./line.ts";
import { drawScreen } from "./progress.ts";

/** How often the watched lines are read again. */
const EVERY_MS = 2_000;

/**
 * Shows the lines again and again until interrupted: in place on a terminal; elsewhere one frame after the other, only
 * those that differ. An unreachable plane is reported in a frame, and does not end the loop.
 */
export async function showFrames(io: CliIo, linesOf: () => Promise<readonly Line[]>): Promise<void> {
  if (io.isForPrograms === true) throw wrongUsage("--watch is for people: leave out -o json");
  let shown = "";
  while (io.signal?.aborted !== true) {
    const lines = await linesOf().catch((thrown: unknown) => {
      if (thrown instanceof AdminError && thrown.isUnreachable) return [thrown.message];
      throw thrown;
    });
    const text = lines.map(lineText).join("\n");
    if (io.isTty) drawScreen(io, lines);
    else if (text !== shown) {
      if (shown !== "") printLine(io, "");
      printLines(io, lines);
    }
    shown = text;
    await io.clock.sleep(EVERY_MS, io.signal).catch(() => undefined);
  }
}
