import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { PlaneAddress } from "../domain/backend-networks.ts";
import { readIp } from "../domain/ip-address.ts";
import { PlaneRecordSchema } from "../gen/fairlead/store/v1/plane_record_pb.ts";
import { instantOfMs } from "../runtime/instant.ts";
import { keyToken } from "../store/key-token.ts";

/** Below it each replica says where it listens. */
export const PLANES = "planes/";

/** Addresses that count of one record. */
export const MAX_PLANE_ADDRESSES = 256;

export interface PlaneRecord {
  readonly addresses: readonly PlaneAddress[];
  /** When it was written, by the store's clock. */
  readonly at: number;
}

export function planeKey(replica: string): string {
  return PLANES + keyToken(replica);
}

export function encodePlane({ addresses, at }: PlaneRecord): Uint8Array {
  const texts = addresses.map(({ ip, port }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`));
  const record = create(PlaneRecordSchema, { addresses: texts, time: instantOfMs(Math.floor(at)) });
  return toBinary(PlaneRecordSchema, record);
}

/** Nothing for bytes of another form; what is no address in a record is passed over, as it names no place. */
export function decodePlane(bytes: Uint8Array): PlaneRecord | undefined {
  try {
    const { addresses, time } = fromBinary(PlaneRecordSchema, bytes);
    return {
      addresses: addresses.slice(0, MAX_PLANE_ADDRESSES).flatMap(readAddress),
      at: time === undefined ? 0 : timestampMs(time),
    };
  } catch {
    return undefined;
  }
}

function readAddress(text: string): PlaneAddress[] {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const ip = match?.[1] ?? match?.[2] ?? "";
  return readIp(ip) !== undefined ? [{ ip, port: Number(match?.[3]) }] : [];
}
