import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type Node, NodeSchema, type UnknownReplica } from "../../gen/fairlead/admin/v1/node_pb.ts";
import type { ListNodesResponse } from "../../gen/fairlead/admin/v1/observe_pb.ts";
import { jsonText, messageJson } from "../data-text.ts";
import { CliFailure, EXIT } from "../exit.ts";
import { showFrames } from "../frames.ts";
import { type CliContext, type CliIo, noteLine, printLines, printText } from "../io.ts";
import type { Line } from "../line.ts";
import { NODE_COLUMNS, nodeCells, SPARE_NODE_COLUMNS, unknownText } from "../node-text.ts";
import { type OutputForm, outputOption } from "../options.ts";
import { tableLines } from "../table.ts";

export function nodesCommand(context: CliContext): Command {
  return new Command("nodes")
    .description("The proxies: what each acknowledged or refused, and how far it is behind")
    .option("--fleet <name>", "only those of this fleet")
    .option("--watch", "show them again every two seconds, until it is interrupted")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead nodes
  fairlead nodes --watch
  fairlead nodes --fleet edge -o json`,
    )
    .action(async ({ fleet = "", output, watch }: { fleet?: string; output: OutputForm; watch?: true }) => {
      const { io } = context;
      if (output === "json" && watch === true)
        throw new CliFailure(EXIT.usage, "--watch is for people: leave out -o json");
      if (watch === true) {
        await showFrames(io, async () => {
          const { nodes, unknownReplicas } = await allNodes(context, fleet);
          return [...silenceLines(unknownReplicas), ...(nodes.length === 0 ? [NONE] : nodeLines(nodes, io))];
        });
        return;
      }
      const { nodes, unknownReplicas } = await allNodes(context, fleet);
      for (const line of silenceLines(unknownReplicas)) noteLine(io, line);
      if (output === "json") {
        const json = nodes.map((node) => messageJson(NodeSchema, node));
        printText(io, jsonText(json, 2));
      } else if (nodes.length === 0) noteLine(io, NONE);
      else printLines(io, nodeLines(nodes, io));
    });
}

const NONE = "no proxies";

function silenceLines(unknown: readonly UnknownReplica[]): string[] {
  return unknown.map((one) => `${unknownText(one)}: its proxies are not listed`);
}

function nodeLines(nodes: readonly Node[], io: CliIo): Line[] {
  const now = io.clock.now();
  const rows = nodes.map((node) => nodeCells(node, now));
  return tableLines(NODE_COLUMNS, rows, { ...io, spare: SPARE_NODE_COLUMNS });
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
