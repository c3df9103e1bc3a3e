import { clone, type DescMessage } from "@bufbuild/protobuf";
import type { Kind } from "../domain/name.ts";
import { ENTRIES, type MessageOf } from "./kinds/registry.ts";

/** The descriptor of a kind's message, where the kind is known at run time only. */
export function descriptorOf(kind: Kind): DescMessage {
  return ENTRIES[kind].message;
}

export function cloneMessage<K extends Kind>(kind: K, message: MessageOf[K]): MessageOf[K] {
  return clone(descriptorOf(kind), message) as MessageOf[K];
}

/** Fields that a client cannot write, by their names in TypeScript. What it sends there is ignored. */
export function outputOnly(kind: Kind): readonly string[] {
  return ENTRIES[kind].outputOnly;
}
