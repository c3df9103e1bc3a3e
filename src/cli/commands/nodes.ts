import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type Node, NodeSchema, type UnknownReplica } from "../../gen/fairlead/admin/v1/node_pb.ts";
import { messageJson } from "../data-text.ts";
import { showFrames } from "../frames.ts";
import { type CliContext, type CliIo, noteLine } from "../io.ts";
import { NODE_COLUMNS, nodeCells, SPARE_NODE_COLUMNS, unknownText } from "../node-text.ts";
import { outputOption, REFRESH } from "../options.ts";
import { printTable, tableLines } from "../table.ts";

export function nodesCommand(context: CliContext): Command {
  return new Command("nodes")
    .description("List the proxies: what each has acknowledged or refused, and how far it lags behind")
    .option("--fleet <name>", "only proxies of this fleet")
    .option(...REFRESH)
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Examples:
  fairlead nodes
  fairlead nodes --watch
  fairlead nodes --fleet edge -o json`,
    )
    .action(async ({ fleet = "", watch }: { fleet?: string; watch?: true }) => {
      const { io, outcome } = context;
      if (watch === true) {
        await showFrames(io, async () => {
          const { nodes, unknownReplicas } = await allNodes(context, fleet);
          const lines =
            nodes.length === 0
              ? [NONE]
              : tableLines(NODE_COLUMNS, nodeRows(nodes, io), { ...io, spare: SPARE_NODE_COLUMNS });
          return [...silenceLines(unknownReplicas), ...lines];
        });
        return;
      }
      const { nodes, unknownReplicas } = await allNodes(context, fleet);
      for (const line of silenceLines(unknownReplicas)) noteLine(io, line);
      outcome.putList(nodes.map((node) => messageJson(NodeSchema, node)));
      printTable(io, NODE_COLUMNS, nodeRows(nodes, io), { spare: SPARE_NODE_COLUMNS, none: NONE });
    });
}

const NONE = "no proxies";

function silenceLines(unknown: readonly UnknownReplica[]): string[] {
  return unknown.map((one) => `${unknownText(one)}: its proxies are not listed`);
}

function nodeRows(nodes: readonly Node[], { clock }: CliIo) {
  return nodes.map((node) => nodeCells(node, clock.now()));
}

async function allNodes(context: CliContext, fleet: string) {
  const nodes: Node[] = [];
  for (let pageToken = ""; ; ) {
    const page = await context.admin().call(AdminService.method.listNodes, { fleet, pageToken });
    nodes.push(...page.nodes);
    if (page.nextPageToken === "") return { nodes, unknownReplicas: page.unknownReplicas };
    pageToken = page.nextPageToken;
  }
}
