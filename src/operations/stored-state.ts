import type { Kind, Name } from "../domain/name.ts";
import type { ObjectOf, State } from "../domain/state.ts";
import type { MessageOf } from "../schema/kinds/registry.ts";
import type { Revision } from "../store/revision.ts";

/** An object with the message it is stored as. The message is shared: copy it before you change it. */
export interface Stored<K extends Kind> {
  readonly message: MessageOf[K];
  readonly object: ObjectOf[K];
  /** Of its last write: what guards the next one. */
  readonly revision: Revision;
}

/** The state with what is stored of each object: what a write is planned on. The mirror is one. */
export interface StoredState extends State {
  stored<K extends Kind>(kind: K, name: Name): Stored<K> | undefined;
}
