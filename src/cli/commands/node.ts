import { Command } from "commander";
import { AdminService } from "../../gen/fairlead/admin/v1/admin_pb.ts";
import { type Node, type NodeResource, NodeSchema } from "../../gen/fairlead/admin/v1/node_pb.ts";
import { messageText } from "../data-text.ts";
import { type CliContext, type CliIo, printLines, printText } from "../io.ts";
import { lagText } from "../node-text.ts";
import { type OutputForm, outputOption } from "../options.ts";
import { cellText, tableLines } from "../table.ts";
import { formatAge } from "../time-text.ts";

/** Enough of a content hash to tell two versions apart. */
const VERSION_LENGTH = 14;

export function nodeCommand(context: CliContext): Command {
  return new Command("node")
    .description("One proxy: each resource with what was sent, acknowledged, refused and why")
    .argument("<name>", "Envoy's node.id")
    .addOption(outputOption("table", "json"))
    .addHelpText(
      "after",
      `
Examples:
  fairlead node edge-7
  fairlead node edge-7 -o json | jq '.types[].resources[] | select(.refusal)'`,
    )
    .action(async (id: string, flags: { output: OutputForm }) => {
      const { io } = context;
      const node = await context.admin().call(AdminService.method.getNode, { id });
      if (flags.output === "json") printText(io, messageText(NodeSchema, node, 2));
      else printLines(io, renderNode(node, io));
    });
}

function renderNode(node: Node, io: CliIo): string[] {
  const fleet = cellText(node.fleet === "" ? `no fleet (cluster ${node.cluster})` : `fleet ${node.fleet}`);
  const since = formatAge(node.since, io.clock.now());
  const peer = node.peer === "" ? "" : ` from ${node.peer}`;
  const resources = node.types.flatMap(({ type, resources }) =>
    resources.map((resource) => resourceCells(type, resource)),
  );
  return [
    `  ${cellText(node.id)}  ${fleet}, Envoy ${cellText(node.envoyVersion || "of unknown version")}, ${node.variant.toLowerCase()} xDS`,
    node.connected ? `  connected to ${node.replica} for ${since}${peer}` : `  away for ${since}`,
    `  lag ${lagText(node)}, all acknowledged up to revision ${node.revision || "(none)"}`,
    ...node.conditions.filter(({ ok }) => !ok).map(({ reason, message }) => `  ${reason}: ${cellText(message)}`),
    ...(resources.length === 0 ? [] : ["", ...table(resources, io.columns)]),
  ];
}

function table(rows: readonly (readonly string[])[], columns: number | undefined): string[] {
  return tableLines(["TYPE", "RESOURCE", "SENT", "ACKNOWLEDGED", "STATE"], rows, columns && columns - 2).map(
    (line) => `  ${line}`,
  );
}

function resourceCells(type: string, resource: NodeResource): string[] {
  return [type, resource.name, short(resource.versionSent), short(resource.versionAcknowledged), stateOf(resource)];
}

function stateOf({ refusal, versionRefused, unknown, held, versionSent, versionAcknowledged }: NodeResource): string {
  if (versionRefused !== "" || refusal !== "") return `REFUSED: ${refusal}`;
  if (held !== "") return `held: ${held}`;
  if (unknown) return "unknown";
  return versionSent === versionAcknowledged ? "ack" : "sent";
}

function short(version: string): string {
  return version === "" ? "-" : version.slice(0, VERSION_LENGTH);
}
