import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { PlaneAddress, PlaneRecord } from "../../domain/backend-networks.ts";
import { readIp } from "../../domain/ip-address.ts";
import { PlaneRecordSchema } from "../../gen/fairlead/store/v1/plane_record_pb.ts";
import { instantOfMs } from "../../runtime/instant.ts";
import { below, type RecordForm } from "./record-form.ts";

/** How many addresses of one record count. */
export const MAX_PLANE_ADDRESSES = 256;

/** Where each replica listens, by the token of its name. */
export const PLANE: RecordForm<PlaneRecord> = {
  ...below("planes/"),
  what: "record of where a plane listens",
  encode: ({ addresses, at }) => {
    const texts = addresses.map(({ ip, port }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`));
    const record = create(PlaneRecordSchema, { addresses: texts, time: instantOfMs(Math.floor(at)) });
    return toBinary(PlaneRecordSchema, record);
  },
  /** Anything that is not an address is skipped, as it names no place. */
  decode: (bytes) => {
    const { addresses, time } = fromBinary(PlaneRecordSchema, bytes);
    return {
      addresses: addresses.slice(0, MAX_PLANE_ADDRESSES).flatMap(readAddress),
      at: time === undefined ? 0 : timestampMs(time),
    };
  },
};

function readAddress(text: string): PlaneAddress[] {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const ip = match?.[1] ?? match?.[2] ?? "";
  return readIp(ip) !== undefined ? [{ ip, port: Number(match?.[3]) }] : [];
}
