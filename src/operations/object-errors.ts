import { ControlPlaneError, invalid, type Violation } from "../domain/errors.ts";
import { formatName, type Kind, type Name, parseName } from "../domain/name.ts";
import { parseRevision, type Revision } from "../store/revision.ts";

/** The canonical name that a request's text means. */
export function readName(kind: Kind, text: string, field = "name"): Name {
  const parsed = parseName(kind, text);
  if (!parsed.ok) throw badField(field, parsed.message);
  return formatName(kind, parsed.parts);
}

/** The revision that a request's text means; undefined for none. */
export function readRevision(field: string, text: string, what = "revision"): Revision | undefined {
  const revision = text === "" ? undefined : parseRevision(text);
  if (revision !== undefined || text === "") return revision;
  throw badField(field, `"${text}" is not a ${what} that a read or a write gave`);
}

export function badField(field: string, message: string): ControlPlaneError {
  return badFields([{ field, message }]);
}

export function badFields(violations: readonly Violation[]): ControlPlaneError {
  return invalid("INVALID_FIELD", violations);
}

/** The request is fine, but the state forbids it. */
export function precondition(
  code: string,
  message: string,
  details: Readonly<Record<string, string>> = {},
): ControlPlaneError {
  return new ControlPlaneError({ kind: "precondition", code, message, details });
}

export function notFound(kind: Kind, name: Name): ControlPlaneError {
  return new ControlPlaneError({
    kind: "notFound",
    code: notFoundCode(kind),
    message: `there is no ${kind} ${name}`,
    details: { kind, name },
  });
}

/** `SERVICE_NOT_FOUND` */
export function notFoundCode(kind: Kind): string {
  return `${kind.toUpperCase()}_NOT_FOUND`;
}
