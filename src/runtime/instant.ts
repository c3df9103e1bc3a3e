import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

/**
 * An instant as the API and the store have it. A time that was calculated may have fractions of a millisecond (a duration
 * of 665.58 ms added to a whole one), and a timestamp made of them cannot be encoded.
 *
 * @param ms Milliseconds since the epoch; rounded to the nearest.
 */
export function instantOfMs(ms: number): Timestamp {
  return timestampFromMs(Math.round(ms));
}
