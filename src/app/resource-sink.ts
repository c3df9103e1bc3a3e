import type { ResourceSink } from "../control/publisher.ts";
import type { Resource } from "../resources/resource.ts";
import { type CachedResource, prepareResource, type ResourceCache } from "../xds/server/library.ts";

/** Publishes into a cache. A resource of several groups is prepared once, and its bytes are shared. */
export function sinkInto(cache: ResourceCache): ResourceSink {
  const prepared = new WeakMap<Resource, CachedResource>();
  const prepare = (resource: Resource) => {
    const known = prepared.get(resource) ?? prepareResource(resource);
    prepared.set(resource, known);
    return known;
  };
  return {
    update: (group, { set, deleted }) =>
      cache.update(group, (transaction) => {
        for (const resource of set) transaction.set(prepare(resource));
        for (const { typeUrl, name } of deleted) transaction.delete(typeUrl, name);
      }),
    removeGroup: (group) => cache.removeGroup(group),
    get publication() {
      return cache.publication;
    },
  };
}
