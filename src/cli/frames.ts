import { AdminError } from "./admin-error.ts";
import { type CliIo, printLine, printLines } from "./io.ts";
import { type Line, lineText } from "./line.ts";
import { drawScreen } from "./progress.ts";

/** How often what is watched is looked at again. */
const EVERY_MS = 2_000;

/**
 * Shows the lines again and again, until it is interrupted: in place on a terminal; elsewhere, one frame after the other,
 * those that differ. A plane that is away is said, and does not end it.
 */
export async function showFrames(io: CliIo, linesOf: () => Promise<readonly Line[]>): Promise<void> {
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
