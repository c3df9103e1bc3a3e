import type { Kind, Name } from "../../domain/name.ts";
import type { State } from "../../domain/state.ts";
import type { Stored } from "../../schema/stored-object.ts";

/** The state with what is stored of each object: what a write is planned on. The mirror is one. */
export interface StoredState extends State {
  stored<K extends Kind>(kind: K, name: Name): Stored<K> | undefined;
}
