/** Every command of the program in every form, and a plane that answers all of them. */
import type { DescMethod } from "@bufbuild/protobuf";
import { AdminService } from "../../../src/gen/fairlead/admin/v1/admin_pb.ts";
import { WaitForRevisionResponse_Outcome as Outcome } from "../../../src/gen/fairlead/admin/v1/observe_pb.ts";
import type { Answers } from "./fake-plane.ts";
import { type Fixed, filledMessage } from "./filled-message.ts";

/** Each command of the program, in each form, and what it needs from the plane beside filled messages. */
export const FORMS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  apply: [
    ["-f", "-"],
    ["-f", "-", "--dry-run"],
    ["-f", "-", "--wait"],
    ["-f", "-", "-o", "json"],
  ],
  get: [
    ["services"],
    ["service", "shop"],
    ["backends"],
    ["health"],
    ["routes"],
    ["listeners"],
    ["fleets"],
    ["policies"],
  ],
  delete: [["route", "shop"]],
  register: [
    ["shop/a", "--address", "10.0.0.1:80"],
    ["shop/a", "--address", "10.0.0.1:80", "--wait"],
  ],
  unregister: [["shop/a"], ["shop/a", "--wait"]],
  drain: [["shop/a"], ["shop/a", "--wait"], ["shop/a", "--undo", "--wait"]],
  health: [[], ["shop/a", "--override", "unhealthy"], ["shop/a", "--clear"]],
  explain: [
    ["backend", "shop/a"],
    ["route", "shop"],
    ["service", "shop"],
    ["policy", "shop"],
    ["listener", "web"],
    ["fleet", "edge"],
    ["node", "edge-7"],
    ["request", "http://shop.example/cart"],
    ["service"],
    ["route.rules", "--recursive"],
  ],
  status: [[]],
  nodes: [[]],
  node: [["edge-7"], ["edge-7", "--diff", "edge-8"]],
  resend: [["edge-7"]],
  forget: [["node/edge-7"]],
  watch: [["--present"]],
  history: [["service", "shop"]],
  rollback: [
    ["route", "shop", "--to", "3", "--wait"],
    ["--revision", "1.7", "--dry-run"],
  ],
  upgrade: [[], ["--to-profile", "2", "--wait"]],
  export: [],
  import: [["-"], ["-", "--dry-run"]],
  backup: [],
  restore: [],
  bootstrap: [],
  schema: [[]],
  completion: [["bash"], ["zsh"], ["fish"]],
  version: [[]],
};
export const COMMAND_LINES = Object.entries(FORMS).flatMap(([name, forms]) => forms.map((form) => [name, ...form]));

export const MANIFEST = "kind: Service\nname: shop\n";

/** What makes sense of the rest, and tells of most. */
const FIXED: Fixed = { next_page_token: "", kind: "service", synced: true, ok: false, live: false };

/** A message, or the messages of a stream, in which every string is the text. */
export function answering(text: string, others: Fixed = {}): (method: DescMethod) => unknown {
  return (method) => {
    const filled = (fixed: Fixed = {}) => filledMessage(method.output, () => text, { ...FIXED, ...others, ...fixed });
    if (method === AdminService.method.waitForRevision) {
      return [filled({ outcome: Outcome.WAITING }), filled({ outcome: Outcome.REACHED })];
    }
    if (method === AdminService.method.watch) return [filled({ health: undefined })];
    return method.methodKind === "server_streaming" ? [filled()] : filled();
  };
}

export function allMethods(answer: (method: DescMethod) => unknown): Answers {
  return Object.fromEntries(AdminService.methods.map((method) => [method.name, () => answer(method)]));
}
