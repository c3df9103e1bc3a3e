import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type Node, NodeSchema } from "../../gen/fairlead/admin/v1/node_pb.ts";
import type { ListNodesResponse } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { jsonText, messageJson } from "../data-text.ts";
import { type CliContext, noteLine, printLines, printText } from "../io.ts";
import { NODE_COLUMNS, nodeCells, unknownText } from "../node-text.ts";
import { type OutputForm, outputOption } from "../options.ts";
import { tableLines } from "../table.ts";

export function nodesCommand(context: CliContext): Command {
  return new Command("nodes")
    .description("The proxies: what each acknowledged or refused, and how far it is behind")
    .option("--fleet <name>", "only those of this fleet")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead nodes
  fairlead nodes --fleet edge -o json`,
    )
    .action(async (flags: { fleet?: string; output: OutputForm }) => {
      const { io } = context;
      const { nodes, unknownReplicas } = await allNodes(context, flags.fleet ?? "");
      for (const unknown of unknownReplicas) {
        noteLine(io, `${unknownText(unknown)}: its proxies are not listed`);
      }
      if (flags.output === "json") {
        const json = nodes.map((node) => messageJson(NodeSchema, node));
        printText(io, jsonText(json, 2));
      } else if (nodes.length === 0) {
        noteLine(io, "no proxies");
      } else {
        const now = io.clock.now();
        const rows = nodes.map((node) => nodeCells(node, now));
        printLines(io, tableLines(NODE_COLUMNS, rows));
      }
    });
}

async function allNodes(
  context: CliContext,
  fleet: string,
): Promise<Pick<ListNodesResponse, "nodes" | "unknownReplicas">> {
  const nodes: Node[] = [];
  for (let pageToken = ""; ; ) {
    const page = await context.admin().call(AdminService.method.listNodes, { fleet, pageToken });
    nodes.push(...page.nodes);
    if (page.nextPageToken === "") return { nodes, unknownReplicas: page.unknownReplicas };
    pageToken = page.nextPageToken;
  }
}
