import type { Violation } from "../domain/errors.ts";
import type { Kind } from "../domain/name.ts";
import type { ObjectOf } from "../domain/state.ts";
import { collectViolations, type Report } from "./field-checks.ts";
import { cloneMessage, type MessageOf } from "./object-message.ts";
import { parseBackend } from "./parse-backend.ts";
import { parseFleet } from "./parse-fleet.ts";
import { parseHealth } from "./parse-health.ts";
import { parseListener } from "./parse-listener.ts";
import { parsePolicy } from "./parse-policy.ts";
import { parseRoute } from "./parse-route.ts";
import { parseService } from "./parse-service.ts";
import { timeViolations } from "./time-fields.ts";

export type ParsedObject<K extends Kind> =
  | { readonly ok: true; readonly object: ObjectOf[K]; readonly message: MessageOf[K] }
  | { readonly ok: false; readonly violations: readonly Violation[] };

/** Each brings names and addresses of the message to their one spelling, in place. */
const PARSERS: { readonly [K in Kind]: (message: MessageOf[K], report: Report) => ObjectOf[K] } = {
  service: parseService,
  policy: parsePolicy,
  backend: parseBackend,
  health: parseHealth,
  listener: parseListener,
  route: parseRoute,
  fleet: parseFleet,
};

/**
 * Checks a message against every limit and reads the domain's object from it, with defaults filled in. The message that is
 * returned is a copy in which names, addresses, hosts and header names have their one spelling; defaults are not filled
 * in there, so that a later release may choose better ones. Never throws.
 */
export function parseObject<K extends Kind>(kind: K, message: MessageOf[K]): ParsedObject<K> {
  return parseInPlace(kind, cloneMessage(kind, message));
}

/** As `parseObject`, for a message that is the caller's own. */
export function parseInPlace<K extends Kind>(
  kind: K,
  message: MessageOf[K],
  from?: Parameters<typeof collectViolations>[0],
): ParsedObject<K> {
  const { report, violations } = collectViolations(from);
  for (const { field, message: why } of timeViolations(kind, message)) report(field, why);
  const object = PARSERS[kind](message, report);
  return violations.length === 0 ? { ok: true, object, message } : { ok: false, violations };
}
