import { Command } from "commander";
import { PRODUCT_VERSION } from "../../runtime/product-version.ts";
import { type CliContext, printLine } from "../io.ts";
import { outputOption } from "../options.ts";

export function versionCommand(context: CliContext): Command {
  return new Command("version")
    .description("Print the version of this program; `status` shows that of the plane")
    .addOption(outputOption())
    .action(() => {
      context.outcome.put({ version: PRODUCT_VERSION });
      printLine(context.io, versionText());
    });
}

export function versionText(): string {
  return `fairlead ${PRODUCT_VERSION}`;
}
