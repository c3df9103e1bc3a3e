import { clone, type DescMessage } from "@bufbuild/protobuf";
import { KINDS, type Kind } from "../domain/name.ts";
import { ENTRIES, type MessageOf } from "./kinds/registry.ts";
import { mayHoldSecret, withoutSecrets } from "./secrets.ts";

/** The descriptor of a kind's message, where the kind is known only at run time. */
export function descriptorOf(kind: Kind): DescMessage {
  return ENTRIES[kind].message;
}

export function cloneMessage<K extends Kind>(kind: K, message: MessageOf[K]): MessageOf[K] {
  return clone(descriptorOf(kind), message) as MessageOf[K];
}

const WITH_SECRETS: ReadonlySet<Kind> = new Set(KINDS.filter((kind) => mayHoldSecret(descriptorOf(kind))));

/** Whether objects of a kind may hold secrets. */
export function hasSecrets(kind: Kind): boolean {
  return WITH_SECRETS.has(kind);
}

/** The part of an object's message that anyone may be shown: the message itself where its kind has no secrets. */
export function shownMessage<K extends Kind>(kind: K, message: MessageOf[K]): MessageOf[K] {
  return hasSecrets(kind) ? withoutSecrets(descriptorOf(kind), message) : message;
}

/** Fields that a client cannot write, by their names in TypeScript. What it sends there is ignored. */
export function outputOnly(kind: Kind): readonly string[] {
  return ENTRIES[kind].outputOnly;
}
