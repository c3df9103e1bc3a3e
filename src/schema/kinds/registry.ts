import type { MessageShape } from "@bufbuild/protobuf";
import { KINDS, type Kind } from "../../domain/name.ts";
import type { MessageFacts } from "../facts.ts";
import { BACKEND } from "./backend.ts";
import { FLEET } from "./fleet.ts";
import { HEALTH } from "./health.ts";
import type { KindEntry } from "./kind-entry.ts";
import { LISTENER } from "./listener.ts";
import { POLICY } from "./policy.ts";
import { ROUTE } from "./route.ts";
import { SERVICE } from "./service.ts";

const REGISTRY = {
  service: SERVICE,
  policy: POLICY,
  backend: BACKEND,
  health: HEALTH,
  listener: LISTENER,
  route: ROUTE,
  fleet: FLEET,
};

type Registry = typeof REGISTRY;

/** The admin API's message of each kind: what clients send, what the store holds, and what derivation's nouns are read from. */
export type MessageOf = { [K in Kind]: MessageShape<Registry[K]["message"]> };

/** The kinds that people write: those that `apply` takes and manifests hold. */
export type AppliedKind = { [K in Kind]: Registry[K]["isApplied"] extends true ? K : never }[Kind];

/** The kinds whose earlier generations are kept. */
export type KindWithHistory = { [K in Kind]: Registry[K]["hasHistory"] extends true ? K : never }[Kind];

/** What is known about each kind, for code that learns only at run time which kind it has. */
export const ENTRIES: { readonly [K in Kind]: KindEntry<K, MessageOf[K]> } = REGISTRY;

/** What is true of the fields of a message, by the message's name in the proto. */
export const FACTS: ReadonlyMap<string, MessageFacts> = new Map(
  KINDS.flatMap((kind) => ENTRIES[kind].facts).map((facts) => [facts.desc.typeName, facts]),
);

export const APPLIED_KINDS = KINDS.filter(isApplied);
export const KINDS_WITH_HISTORY = KINDS.filter(hasHistory);

export function isApplied(kind: Kind): kind is AppliedKind {
  return ENTRIES[kind].isApplied;
}

export function hasHistory(kind: Kind): kind is KindWithHistory {
  return ENTRIES[kind].hasHistory;
}
