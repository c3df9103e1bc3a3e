import type { Checked } from "../domain/errors.ts";
import type { Kind } from "../domain/name.ts";
import type { ObjectOf } from "../domain/state.ts";
import { checkFacts, planFacts } from "./facts.ts";
import { collectViolations } from "./field-checks.ts";
import { ENTRIES, FACTS, type MessageOf } from "./kinds/registry.ts";
import { cloneMessage, descriptorOf } from "./object-message.ts";
import { withoutValues } from "./secrets.ts";
import { timeViolations } from "./time-fields.ts";

const planOf = planFacts(FACTS);

type ParsedObject<K extends Kind> = Checked<{ readonly object: ObjectOf[K]; readonly message: MessageOf[K] }>;

/**
 * Checks a message against every limit and reads the domain's object from it, with defaults filled in. The message that is
 * returned is a copy in which names, addresses, hosts and header names have their canonical spelling; defaults are not
 * filled in there, so a later release may choose better ones. Never throws.
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
  const facts = planOf(descriptorOf(kind));
  if (facts !== undefined) checkFacts(facts, message, "", report);
  const object = ENTRIES[kind].parse(message, report);
  if (violations.length === 0) return { ok: true, object, message };
  return { ok: false, violations: withoutValues(descriptorOf(kind), violations) };
}
