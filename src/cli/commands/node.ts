import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type Node, type NodeResource, NodeSchema, type NodeType } from "../../gen/fairlead/admin/v1/node_pb.ts";
import { yamlText } from "../data-text.ts";
import { wrongUsage } from "../exit.ts";
import { type CliContext, type CliIo, printLines, printText } from "../io.ts";
import { type Line, type Piece, toned } from "../line.ts";
import { differenceLines, isRefused, resourceState, sentResources } from "../node-contents.ts";
import { clientText, lagText, stateText } from "../node-text.ts";
import { type OutputForm, outputOption, RESOURCE_TYPE } from "../options.ts";
import { statePiece } from "../state-tone.ts";
import { cellText, tableLines } from "../table.ts";
import { formatAge } from "../time-text.ts";

/** Enough of a content hash to tell two versions apart. */
const VERSION_LENGTH = 14;

interface NodeFlags {
  readonly output: OutputForm;
  readonly type?: string;
  readonly diff?: string;
}

export function nodeCommand(context: CliContext): Command {
  return new Command("node")
    .description("Show the resources of one proxy: what was sent, acknowledged or refused, and why")
    .argument("<name>", "the proxy's node.id")
    .option(...RESOURCE_TYPE)
    .option("--diff <name>", "show instead where it was sent something else than this other proxy")
    .addOption(outputOption(["table", "json", "yaml"]))
    .addHelpText(
      "after",
      `
With -o yaml the resources are printed as they were sent, without secrets.

Examples:
  fairlead node edge-7
  fairlead node edge-7 --type lds -o yaml
  fairlead node edge-7 --diff edge-8
  fairlead node edge-7 -o json | jq '.types[].resources[] | select(.refusal)'`,
    )
    .action(async (id: string, { output, type = "", diff }: NodeFlags) => {
      const { io, outcome } = context;
      const contents = output === "yaml" || diff !== undefined;
      const ask = (of: string) => context.admin().call(AdminService.method.getNode, { id: of, type, contents });
      if (diff !== undefined && output !== "table") throw wrongUsage("--diff is for people: leave out -o");
      const node = await ask(id);
      if (diff !== undefined) printLines(io, differenceLines(node, await ask(diff)));
      else if (output === "yaml") printText(io, yamlText(sentResources(node), { lineWidth: 0 }));
      else {
        outcome.putAnswer(NodeSchema, node);
        printLines(io, renderNode(node, io));
      }
    });
}

function renderNode(node: Node, io: CliIo): Line[] {
  const fleet = cellText(node.fleet === "" ? `no fleet (cluster ${node.cluster})` : `fleet ${node.fleet}`);
  const since = formatAge(node.since, io.clock.now());
  const peer = node.peer === "" ? "" : ` from ${node.peer}`;
  const resources = node.types.flatMap(({ type, resources }) =>
    resources.map((resource) => resourceCells(type, resource)),
  );
  return [
    `  ${cellText(node.id)}  ${fleet}, ${cellText(clientText(node))}, ${node.variant.toLowerCase()} xDS`,
    node.connected
      ? `  connected to ${node.replica} for ${since}${peer}`
      : ["  ", toned("warn", `${node.gone ? "gone" : "disconnected"} for ${since}`)],
    `  lag ${lagText(node)}, all acknowledged up to revision ${node.revision || "(none)"}`,
    ...node.conditions
      .filter(({ ok }) => !ok)
      .map(({ reason, message }) => ["  ", toned("warn", `${reason}: ${cellText(message)}`)]),
    ...(node.connected ? [] : node.types.map(heldLine)),
    ...(resources.length === 0 ? [] : ["", ...table(resources, io)]),
  ];
}

/** What it had of a type when its stream ended. */
function heldLine({ type, known, state }: NodeType): Line {
  return ["  ", `${type}  ${known} ${known === 1 ? "resource" : "resources"}: `, statePiece(stateText(state))];
}

function table(rows: readonly (readonly Piece[])[], io: CliIo): Line[] {
  const fit = { ...io, indent: "  ", spare: ["ACKNOWLEDGED", "SENT"] };
  return tableLines(["TYPE", "RESOURCE", "SENT", "ACKNOWLEDGED", "STATE"], rows, fit);
}

function resourceCells(type: string, resource: NodeResource): Piece[] {
  const state = resourceState(resource);
  return [
    type,
    resource.name,
    short(resource.versionSent),
    short(resource.versionAcknowledged),
    isRefused(resource) ? toned("bad", state) : statePiece(state),
  ];
}

function short(version: string): string {
  return version === "" ? "-" : version.slice(0, VERSION_LENGTH);
}
