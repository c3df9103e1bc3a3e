/** A runtime layer that is discovered, as a part of the bootstrap, and what Envoy makes of it. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { Bootstrap } from "./ads-bootstrap.ts";
import type { Bench } from "./bench.ts";
import { ADS } from "./json-resources.ts";

const NAME = "layer";

export function withRuntimeLayer(bootstrap: Bootstrap, source: JsonObject = ADS): Bootstrap {
  const rtds_layer = { name: NAME, rtds_config: source };
  return { ...bootstrap, layered_runtime: { layers: [{ name: NAME, rtds_layer }] } };
}

/** The resource in its JSON form. */
export function layerOf(layer: JsonObject): JsonObject {
  return { name: NAME, layer };
}

export async function runtimeValue({ envoy }: Bench, key: string): Promise<string | undefined> {
  const text = (await envoy?.get("/runtime?format=json")) ?? "{}";
  const { entries = {} } = JSON.parse(text) as { entries?: Record<string, { final_value: string }> };
  return entries[key]?.final_value;
}
