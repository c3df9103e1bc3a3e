import { Argument, Command, InvalidArgumentError, Option } from "commander";
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
import { wrongUsage } from "../exit.ts";
import { printFieldDocs, splitFieldPath } from "../field-docs-text.ts";
import { type CliContext, printLine } from "../io.ts";
import { KIND_ENTRIES } from "../kinds.ts";
import { indented, type Line, piecesOf, pieceText, toned, withText } from "../line.ts";
import { findKind, objectReference } from "../object-reference.ts";
import { backendName, outputOption } from "../options.ts";
import { cellText, columnWidth, padCell } from "../table.ts";

const { method } = AdminService;

export function explainCommand(context: CliContext): Command {
  const command = new Command("explain")
    .description("Explain the state of an object, the way of a request, or the fields of a kind")
    .usage("KIND NAME | KIND/NAME | KIND[.FIELD...] | request URL")
    .addHelpText(
      "after",
      `
With a name, KIND NAME or KIND/NAME, a plane explains the object. Without one, KIND or KIND.FIELD
explains what manifests hold, and asks no plane.

Examples:
  fairlead explain service/shop
  fairlead explain service
  fairlead explain service.healthCheck.interval
  fairlead explain route.rules --recursive`,
    );
  for (const [noun, { about, argument, examples, explain }] of Object.entries(SUBJECTS)) {
    const subject = command
      .command(noun)
      .aliases(aliasesOf(noun))
      .description(about)
      .addArgument(argument)
      .addOption(outputOption())
      .addHelpText("after", ["\nExamples:", ...examples].join("\n  fairlead explain "));
    if (!argument.required) subject.addOption(recursiveOption());
    subject.action((name: string | undefined, flags: DocsFlags) => {
      if (name === undefined) return printFieldDocs(context, noun, flags.recursive === true);
      refuseRecursive(flags);
      return explain(context, name);
    });
  }
  command.addCommand(requestCommand(context));
  command
    .command("object", { isDefault: true, hidden: true })
    .argument("[kind/name]")
    .addOption(outputOption())
    .addOption(recursiveOption())
    .action((word: string | undefined, flags: DocsFlags) => explainWord(context, word, flags));
  return command;
}

interface DocsFlags {
  readonly recursive?: true;
}

function recursiveOption(): Option {
  return new Option("--recursive", "also list the fields inside fields");
}

function refuseRecursive({ recursive }: DocsFlags): void {
  if (recursive === true) throw wrongUsage("--recursive is for the fields of a kind: leave it out, or the name");
}

/** Explains `service/shop`, the form that other commands take; or, without a name, `service.healthCheck`. */
async function explainWord(context: CliContext, word: string | undefined, flags: DocsFlags): Promise<void> {
  if (word !== undefined && !word.includes("/") && splitFieldPath(word) !== undefined) {
    printFieldDocs(context, word, flags.recursive === true);
    return;
  }
  refuseRecursive(flags);
  const { kind, name } = objectReference(word ?? "");
  const noun = findKind(kind)?.kind ?? kind;
  const subject = Object.hasOwn(SUBJECTS, noun) ? SUBJECTS[noun] : undefined;
  if (name !== undefined && subject !== undefined) return await subject.explain(context, name);
  const nouns = [...Object.keys(SUBJECTS), "request"];
  const what = word === undefined ? "say what to explain" : `"${word}" cannot be explained`;
  const near = didYouMean(noun.split(".")[0] ?? "", nouns);
  throw wrongUsage(`${what}${near}: ${nouns.join(", ")}, each followed by its name; or a kind or field to read about`);
}

/** The other words for the same kind; the short one first, since help shows only one. */
function aliasesOf(noun: string): string[] {
  const { plural, short } = findKind(noun) ?? {};
  return [short, plural].filter((word) => word !== undefined);
}

/** What can be explained by its name. */
interface Subject {
  readonly about: string;
  readonly argument: Argument;
  readonly examples: readonly string[];
  explain(this: void, context: CliContext, name: string): Promise<void>;
}

/** What kinds can be asked that is not the same for all. */
const ABOUT: Readonly<Record<string, string>> = {
  route: "Where the rules of a route apply, which are never reached, and the state of its services",
  service: "Whether a service has backends that can serve it, and what leads to it",
};

const SUBJECTS: Readonly<Record<string, Subject>> = {
  backend: {
    about: "Why a backend gets traffic or not: membership, health, policy, proxies",
    argument: new Argument("[backend]", "SERVICE/BACKEND; without it, the fields of a backend").argParser(backendName),
    examples: ["backend shop/shop-3", "be/shop/shop-3", "backend"],
    explain: explainBackend,
  },
  ...Object.fromEntries(
    KIND_ENTRIES.flatMap(({ kind, explain }) => (explain === undefined ? [] : [[kind, subjectOf(kind, explain)]])),
  ),
  node: {
    about: "Which fleet a proxy belongs to and why, what it gets, and what is in the way",
    argument: new Argument("<node>", "the proxy's node.id"),
    examples: ["node edge-7"],
    explain: explaining((admin, name) => admin.call(method.explainNode, { name })),
  },
};

function subjectOf(kind: string, explain: Explain): Subject {
  return {
    about: ABOUT[kind] ?? `What is wrong with a ${kind}, and what is linked to it`,
    argument: new Argument(`[${kind}]`, `its name; without it, the fields of a ${kind}`),
    examples: [`${kind} shop`, kind],
    explain: explaining(explain),
  };
}

interface RequestFlags {
  readonly method: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly fleet?: string;
  readonly listener?: string;
}

function requestCommand(context: CliContext): Command {
  return new Command("request")
    .description("Where proxies would send a request: listener, host, rule, services, backends; none is sent")
    .argument("<url>", "http://HOST:PORT/PATH, with the listener's port")
    .option("-X, --method <method>", "its method", "GET")
    .option("-H, --header <name: value>", "a header of it; repeatable", header)
    .option("--fleet <name>", "only the listeners of this fleet")
    .option("--listener <name>", "this listener, whatever the port, for requests that come through something before it")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Examples:
  fairlead explain request http://shop.example:10080/cart
  fairlead explain request http://shop.example/cart -X POST -H "x-canary: yes" --listener web`,
    )
    .action(async (url: string, flags: RequestFlags) => {
      const { header: headers = {}, fleet = "", listener = "" } = flags;
      const request = { url, method: flags.method, headers, fleet, listener };
      const answer = await context.admin().call(method.explainRequest, request);
      context.outcome.putAnswer(ExplainRequestResponseSchema, answer);
      for (const way of answer.ways) printFacts(context, wayText(way), wayFacts(way));
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

async function explainBackend(context: CliContext, name: string): Promise<void> {
  const answer = await context.admin().call(method.explainBackend, { name });
  context.outcome.putAnswer(ExplainBackendResponseSchema, answer);
  const { status } = answer.backend ?? {};
  const word = status?.eligible === true ? toned("good", "routable") : toned("bad", "not routable");
  printFacts(context, [word, `: ${status?.message ?? ""}`], backendExplanation(answer, context.io));
}

type Explain = (admin: AdminClient, name: string) => Promise<Explanation>;

function explaining(ask: Explain): Subject["explain"] {
  return async (context, name) => {
    const answer = await ask(context.admin(), name);
    context.outcome.putAnswer(ExplanationSchema, answer);
    const facts = answer.facts.map(({ about, text }) => [about, text] as const);
    printFacts(context, answer.summary, facts);
  };
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
function header(text: string, previous: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf(":", 1);
  if (at < 1) throw new InvalidArgumentError("Give NAME: VALUE.");
  const name = text.slice(0, at).trim().toLowerCase();
  const value = text.slice(at + 1).trim();
  return { ...previous, [name]: previous[name] === undefined ? value : `${previous[name]},${value}` };
}
