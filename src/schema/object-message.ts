import { clone, type DescMessage, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { KINDS, type Kind } from "../domain/name.ts";
import { type Backend, BackendSchema, type Health, HealthSchema } from "../gen/fairlead/admin/v1/backend_pb.ts";
import { type Fleet, FleetSchema } from "../gen/fairlead/admin/v1/fleet_pb.ts";
import { type Listener, ListenerSchema } from "../gen/fairlead/admin/v1/listener_pb.ts";
import { type Policy, PolicySchema } from "../gen/fairlead/admin/v1/policy_pb.ts";
import { type Route, RouteSchema } from "../gen/fairlead/admin/v1/route_pb.ts";
import { type Service, ServiceSchema } from "../gen/fairlead/admin/v1/service_pb.ts";
import { mayHoldSecret, withoutSecrets } from "./secrets.ts";

/** The admin API's message of each kind: what clients send, what the store holds, what derivation's nouns are read from. */
export interface MessageOf {
  service: Service;
  policy: Policy;
  backend: Backend;
  health: Health;
  listener: Listener;
  route: Route;
  fleet: Fleet;
}

const MESSAGE_SCHEMA: { readonly [K in Kind]: GenMessage<MessageOf[K] & Message> } = {
  service: ServiceSchema,
  policy: PolicySchema,
  backend: BackendSchema,
  health: HealthSchema,
  listener: ListenerSchema,
  route: RouteSchema,
  fleet: FleetSchema,
};

/** The descriptor of a kind's message, where the kind is known at run time only. */
export function descriptorOf(kind: Kind): DescMessage {
  return MESSAGE_SCHEMA[kind];
}

export function cloneMessage<K extends Kind>(kind: K, message: MessageOf[K]): MessageOf[K] {
  return clone(descriptorOf(kind), message) as MessageOf[K];
}

const WITH_SECRETS: ReadonlySet<Kind> = new Set(KINDS.filter((kind) => mayHoldSecret(descriptorOf(kind))));

/** Whether objects of a kind may hold secrets. */
export function hasSecrets(kind: Kind): boolean {
  return WITH_SECRETS.has(kind);
}

/** What anybody may be shown of an object: the message itself where its kind has no secrets. */
export function shownMessage<K extends Kind>(kind: K, message: MessageOf[K]): MessageOf[K] {
  return hasSecrets(kind) ? withoutSecrets(descriptorOf(kind), message) : message;
}

/** Fields that a client cannot write, by their names in TypeScript. What it sends there is ignored. */
export const OUTPUT_ONLY: { readonly [K in Kind]: readonly string[] } = {
  service: ["meta", "conditions", "status", "checkStartTime"],
  policy: ["meta", "conditions"],
  backend: ["meta", "conditions", "status", "state", "drainTime"],
  health: ["meta", "actor", "observer", "fence", "inARow", "lastGoodTime", "damping", "statusTime"],
  listener: ["meta", "conditions"],
  route: ["meta", "conditions"],
  fleet: ["meta", "conditions", "profile"],
};
