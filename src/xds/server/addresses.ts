import { fromBinary } from "@bufbuild/protobuf";
import { type Address, SocketAddress_Protocol as Protocol } from "../../gen/envoy/config/core/v3/address_pb.ts";
import { ListenerSchema } from "../../gen/envoy/config/listener/v3/listener_pb.ts";
import { LISTENER_TYPE } from "../protocol/resource-types.ts";

/** The addresses that a listener opens. Bytes that do not decode open none: the engine does not validate what it carries. */
export function addressesOf(typeUrl: string, body: Uint8Array): readonly string[] {
  if (typeUrl !== LISTENER_TYPE) return [];
  try {
    const { address, additionalAddresses } = fromBinary(ListenerSchema, body);
    const all = [address, ...additionalAddresses.map((additional) => additional.address)];
    return all.flatMap((one) => (one === undefined ? [] : (addressText(one) ?? [])));
  } catch {
    return [];
  }
}

function addressText({ address }: Address): string | undefined {
  if (address.case === "pipe") return `unix ${address.value.path}`;
  if (address.case !== "socketAddress") return undefined;
  const { protocol, address: ip, portSpecifier } = address.value;
  if (portSpecifier.case !== "portValue" || portSpecifier.value === 0) return undefined;
  return `${protocol === Protocol.UDP ? "udp" : "tcp"} ${ip} ${portSpecifier.value}`;
}
