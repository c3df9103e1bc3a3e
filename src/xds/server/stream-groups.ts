import type { Served } from "../protocol/resource.ts";
import type { Changes } from "./resource-cache.ts";

/** One update of what a group is served, linked to the updates made after it. */
export type Publication = {
  readonly number: number;
  readonly changes: Changes;
  next: Publication | undefined;
};

/** What a stream of a group is told. */
export interface GroupedStream {
  /** Called when what the group is served has appeared, disappeared or been replaced. */
  reattach(): void;
  /** Called when the group was updated. */
  publish(publication: Publication): void;
}

type Group<S> = {
  readonly streams: Set<S>;
  served: Served | undefined;
  last: Publication | undefined;
};

/**
 * Which streams belong to each group. A publication is one object for all of a group's streams, so telling a thousand
 * streams of it touches next to nothing of each.
 */
export class StreamGroups<S extends GroupedStream> {
  readonly #served: (group: string) => Served | undefined;
  readonly #groups = new Map<string, Group<S>>();

  constructor(served: (group: string) => Served | undefined) {
    this.#served = served;
  }

  /** Moves a stream from one group to another; undefined means no group. */
  move(stream: S, from: string | undefined, to: string | undefined): void {
    if (from !== undefined) {
      const group = this.#groups.get(from);
      if (group?.streams.delete(stream) && group.streams.size === 0) this.#groups.delete(from);
    }
    if (to !== undefined) {
      const group = this.#groups.get(to) ?? { streams: new Set(), served: this.#served(to), last: undefined };
      this.#groups.set(to, group);
      group.streams.add(stream);
    }
  }

  /** Tells the streams of a group of an update, and returns them. */
  publish(name: string, changes: Changes, number: number): Iterable<S> {
    const group = this.#groups.get(name);
    if (!group) return [];
    const served = this.#served(name);
    if (served !== group.served) {
      group.served = served;
      for (const stream of group.streams) stream.reattach();
    }
    const publication = { number, changes, next: undefined };
    if (group.last) group.last.next = publication;
    group.last = publication;
    for (const stream of group.streams) stream.publish(publication);
    return group.streams;
  }
}
