import { type Backend, DEFAULT_BACKEND, type Target, targetText } from "../domain/backend.ts";
import {
  MAX_BACKEND_METADATA,
  MAX_BACKEND_WEIGHT,
  MAX_LOCALITY_PART_LENGTH,
  MAX_METADATA_KEY_LENGTH,
  MAX_METADATA_VALUE_LENGTH,
  MAX_PIPE_PATH_BYTES,
  MAX_PORT,
  MAX_PRIORITY,
  MIN_PORT,
} from "../domain/limits.ts";
import { Backend_State, type Backend as BackendMessage } from "../gen/fairlead/admin/v1/backend_pb.ts";
import {
  checkAddress,
  checkEntries,
  checkEnum,
  checkLength,
  checkRangeOr,
  parseIdentity,
  type Report,
  readTime,
} from "./field-checks.ts";

const STATES: Readonly<Record<number, Backend["state"]>> = {
  [Backend_State.ACTIVE]: "ACTIVE",
  [Backend_State.DRAINING]: "DRAINING",
};

export function parseBackend(message: BackendMessage, report: Report): Backend {
  // There is one way to store it: the default is left out, as it always was.
  if (message.priority === 0) delete message.priority;
  const { locality } = message;
  const part = (name: "region" | "zone" | "subZone") =>
    checkLength(report, `locality.${name}`, locality?.[name] ?? "", MAX_LOCALITY_PART_LENGTH);
  return {
    ...parseIdentity(report, "backend", message),
    target: parseTarget(message, report),
    weight: checkRangeOr(report, "weight", message.weight, {
      min: 1,
      max: MAX_BACKEND_WEIGHT,
      otherwise: DEFAULT_BACKEND.weight,
      cure: "drain a backend that is to get no request, or override its health",
    }),
    locality: { region: part("region"), zone: part("zone"), subZone: part("subZone") },
    priority: checkRangeOr(report, "priority", message.priority, {
      min: 0,
      max: MAX_PRIORITY,
      otherwise: DEFAULT_BACKEND.priority,
    }),
    metadata: checkEntries(report, "metadata", message.metadata, {
      count: MAX_BACKEND_METADATA,
      keyLength: MAX_METADATA_KEY_LENGTH,
      valueLength: MAX_METADATA_VALUE_LENGTH,
    }),
    checkPort: checkRangeOr(report, "checkPort", message.checkPort, {
      min: MIN_PORT,
      max: MAX_PORT,
      otherwise: undefined,
      cure: "leave it out for the port of `address`",
    }),
    state: checkEnum(report, "state", message.state, { values: STATES, otherwise: DEFAULT_BACKEND.state }),
    drainedAt: readTime(message.drainTime),
  };
}

function parseTarget(message: BackendMessage, report: Report): Target {
  const { target } = message;
  if (target.case === "address") {
    const address: Target = { kind: "address", ...checkAddress(report, "address", target.value) };
    target.value = targetText(address);
    return address;
  }
  if (target.case === "pipe") {
    const bytes = new TextEncoder().encode(target.value).length;
    if (!target.value.startsWith("/") || target.value.includes("\0") || bytes > MAX_PIPE_PATH_BYTES) {
      report("pipe", `must be an absolute path of at most ${MAX_PIPE_PATH_BYTES} bytes`);
    }
    return { kind: "pipe", path: target.value };
  }
  report("address", "must be given (or `pipe`), for example `10.0.4.7:9001`");
  return { kind: "pipe", path: "/" };
}
