import { Command, InvalidArgumentError } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import {
  ExplainBackendResponseSchema,
  ExplainRequestResponseSchema,
  type Explanation,
  ExplanationSchema,
  type RequestWay,
} from "../../gen/fairlead/admin/v1/explain_pb.ts";
import { didYouMean } from "../../schema/did-you-mean.ts";
import type { AdminClient } from "../admin-client.ts";
import { backendExplanation, type Fact } from "../backend-explanation.ts";
import { messageText } from "../data-text.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { type CliContext, printLine, printText } from "../io.ts";
import { KIND_ENTRIES } from "../kinds.ts";
import { indented, type Line, piecesOf, pieceText, toned, withText } from "../line.ts";
import { findKind, kindWords, objectReference } from "../object-reference.ts";
import { backendName, type OutputForm, outputOption } from "../options.ts";
import { cellText, columnWidth, padCell } from "../table.ts";

const { method } = AdminService;

export function explainCommand(context: CliContext): Command {
  const command = new Command("explain").description(
    "Say why something is as it is; also as KIND/NAME: explain service/shop",
  );
  command
    .command("backend")
    .aliases(aliasesOf("backend"))
    .description("Why a backend gets traffic, or none: membership, health, policy, proxies")
    .argument("<backend>", "SERVICE/BACKEND", backendName)
    .addOption(outputOption("table", "json"))
    .addHelpText("after", "\nExamples:\n  fairlead explain backend shop/shop-3\n  fairlead explain be/shop/shop-3")
    .action((name: string, { output }: { output: OutputForm }) => explainBackend(context, name, output));
  for (const { noun, about, explain } of EXPLAINED) {
    const example = noun === "node" ? "edge-7" : "shop";
    command
      .command(noun)
      .aliases(aliasesOf(noun))
      .description(about)
      .argument(`<${noun}>`)
      .addOption(outputOption("table", "json"))
      .addHelpText("after", `\nExamples:\n  fairlead explain ${noun} ${example}`)
      .action(async (name: string, { output }: { output: OutputForm }) =>
        printExplanation(context, await explain(context.admin(), name), output),
      );
  }
  command.addCommand(requestCommand(context));
  command
    .command("object", { isDefault: true, hidden: true })
    .argument("[kind/name]")
    .addOption(outputOption("table", "json"))
    .action((word: string | undefined, { output }: { output: OutputForm }) => explainObject(context, word, output));
  return command;
}

/** Explains `service/shop`, the form that other commands take. */
async function explainObject(context: CliContext, word: string | undefined, output: OutputForm): Promise<void> {
  const { kind, name } = objectReference(word ?? "");
  const noun = findKind(kind)?.kind ?? kind;
  const found = EXPLAINED.find((known) => known.noun === noun);
  if (name !== undefined && noun === "backend") await explainBackend(context, name, output);
  else if (name !== undefined && found !== undefined) {
    printExplanation(context, await found.explain(context.admin(), name), output);
  } else {
    const nouns = ["backend", ...EXPLAINED.map((known) => known.noun), "request"];
    const what = word === undefined ? "say what is to be explained" : `"${word}" is nothing that can be explained`;
    throw new CliFailure(EXIT.usage, `${what}${didYouMean(noun, nouns)}: ${nouns.join(", ")}, each with its name`);
  }
}

/** The other words for the same kind; the short one first, since help shows only one. */
function aliasesOf(noun: string): string[] {
  const entry = findKind(noun);
  return entry === undefined
    ? []
    : kindWords(entry)
        .filter((word) => word !== noun)
        .toReversed();
}

/** What kinds can be asked that is not the same for all. */
const ABOUT: Readonly<Record<string, string>> = {
  route: "Where a route's rules stand, which are never reached, and how its services are",
  service: "Whether a service has somebody to serve it, and who leads to it",
};

/** Whatever is explained by its name alone. */
const EXPLAINED: readonly Explained[] = [
  ...KIND_ENTRIES.flatMap(({ kind, explain }) =>
    explain === undefined
      ? []
      : [{ noun: kind, about: ABOUT[kind] ?? `What is wrong with a ${kind}, and what is linked to it`, explain }],
  ),
  {
    noun: "node",
    about: "Which fleet a proxy is of and why, what it gets, and what stands in the way",
    explain: (admin, name) => admin.call(method.explainNode, { name }),
  },
];

interface Explained {
  readonly noun: string;
  readonly about: string;
  explain(admin: AdminClient, name: string): Promise<Explanation>;
}

interface RequestFlags {
  readonly method: string;
  readonly header: Readonly<Record<string, string>>;
  readonly fleet?: string;
  readonly listener?: string;
  readonly output: OutputForm;
}

function requestCommand(context: CliContext): Command {
  return new Command("request")
    .description("Where proxies lead a request: listener, host, rule, services, backends; none is sent")
    .argument("<url>", "http://HOST:PORT/PATH, with the listener's port")
    .option("-X, --method <method>", "its method", "GET")
    .option("-H, --header <name: value>", "a header of it; repeatable", header, {})
    .option("--fleet <name>", "only the listeners of this fleet")
    .option("--listener <name>", "this listener, whatever the port: something stands before it")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead explain request http://shop.example:10080/cart
  fairlead explain request http://shop.example/cart -X POST -H "x-canary: yes" --listener web`,
    )
    .action(async (url: string, { output, header: headers, fleet = "", listener = "", ...flags }: RequestFlags) => {
      const answer = await context
        .admin()
        .call(method.explainRequest, { url, method: flags.method, headers, fleet, listener });
      if (output === "json") printText(context.io, messageText(ExplainRequestResponseSchema, answer, 2));
      else for (const way of answer.ways) printFacts(context, wayText(way), wayFacts(way));
    });
}

/** `web of fleet edge: to shop`. */
function wayText({ fleet, listener, status, message, targets }: RequestWay): string {
  const to = targets.map(({ service }) => service).join(", ");
  const what = status === 0 ? `goes to ${to}` : `is answered with ${status}`;
  return `on listener ${listener} of fleet ${fleet} it ${what}${message === "" ? "" : `: ${message}`}`;
}

function* wayFacts({ address, host, path, passed, route, rule, targets }: RequestWay): Iterable<Fact> {
  yield ["listener", address];
  if (host !== "") yield ["host", host];
  if (path !== "") yield ["path", path];
  for (const { route: other, rule: index, reason } of passed)
    yield ["not", `rules[${index}] of route ${other}: ${reason}`];
  if (route !== "") yield ["rule", `rules[${rule}] of route ${route}`];
  for (const { service, percent, backends, eligible, message } of targets) {
    const more = eligible > backends.length ? ` and ${eligible - backends.length} more` : "";
    yield [
      "to",
      `${service}, ${Math.round(percent * 10) / 10} %: ${message === "" ? backends.join(", ") + more : message}`,
    ];
  }
}

async function explainBackend(context: CliContext, name: string, output: OutputForm): Promise<void> {
  const answer = await context.admin().call(method.explainBackend, { name });
  if (output === "json") {
    printText(context.io, messageText(ExplainBackendResponseSchema, answer, 2));
    return;
  }
  const { status } = answer.backend ?? {};
  const word = status?.eligible === true ? toned("good", "routable") : toned("bad", "not routable");
  printFacts(context, [word, `: ${status?.message ?? ""}`], backendExplanation(answer, context.io));
}

function printExplanation(context: CliContext, answer: Explanation, output: OutputForm): void {
  if (output === "json") printText(context.io, messageText(ExplanationSchema, answer, 2));
  else
    printFacts(
      context,
      answer.summary,
      answer.facts.map(({ about, text }) => [about, text] as const),
    );
}

const NARROWEST = 12;

function printFacts({ io }: CliContext, summary: Line, facts: Iterable<Fact>): void {
  printLine(io, indented(asCell(summary), "  "));
  const all = Array.from(facts, ([about, text]) => [cellText(about), asCell(text)] as const);
  const width = Math.max(NARROWEST, columnWidth(all.map(([about]) => about)));
  for (const [about, text] of all) printLine(io, indented(text, `    ${padCell(about, width)} `));
}

function asCell(line: Line): Line {
  return piecesOf(line).map((piece) => withText(piece, cellText(pieceText(piece))));
}

/** `x-canary: yes`. */
function header(text: string, previous: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf(":", 1);
  if (at < 1) throw new InvalidArgumentError("It is no NAME: VALUE.");
  const name = text.slice(0, at).trim().toLowerCase();
  const value = text.slice(at + 1).trim();
  return { ...previous, [name]: previous[name] === undefined ? value : `${previous[name]},${value}` };
}
