import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ENDPOINT_TYPE } from "../protocol/resource-types.ts";
import { CachedResource } from "./cached-resource.ts";

/** An endpoint set with a name but no endpoints: it ends warming where a removal would empty a live cluster (xds R8). */
export function emptyEndpoints(name: string): CachedResource {
  const body = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name).finish();
  return new CachedResource({ typeUrl: ENDPOINT_TYPE, name, body });
}
