import { create, type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema, type Duration, DurationSchema, durationFromMs } from "@bufbuild/protobuf/wkt";
import { ApiVersion } from "../gen/envoy/config/core/v3/config_source_pb.ts";
import { typeUrlOf } from "../xds/protocol/resource-types.ts";

/** Packs a message as Envoy's extensions expect it. */
export function pack<Desc extends DescMessage>(desc: Desc, init: MessageInitShape<Desc>): Any {
  const message: MessageShape<Desc> = create(desc, init);
  return create(AnySchema, { typeUrl: typeUrlOf(desc.typeName), value: toBinary(desc, message) });
}

export function duration(ms: number): Duration {
  return ms === 0 ? create(DurationSchema) : durationFromMs(ms);
}

/** A `ConfigSource`: everything comes over the one aggregated stream. */
export const ADS = {
  resourceApiVersion: ApiVersion.V3,
  configSourceSpecifier: { case: "ads", value: {} },
} as const;

/** A map whose entries are encoded in the order of their keys. */
export function sortedEntries(entries: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(entries).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
