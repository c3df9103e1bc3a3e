type Json = Readonly<Record<string, unknown>>;

/**
 * Where a document differs from a JSON Schema, one line each; knows the keywords that this project's schemas have, and fails
 * on another one, so that none is passed over.
 */
export function schemaFaults(root: Json, schema: Json, document: unknown, at = "$"): readonly string[] {
  const {
    $ref,
    anyOf,
    enum: values,
    const: constant,
    type,
    properties,
    required,
    items,
    additionalProperties,
  } = schema;
  const { pattern, minimum, maximum, format, ...others } = without(schema);
  if (Object.keys(others).length > 0) throw new Error(`unknown keywords: ${Object.keys(others).join(", ")}`);
  if (typeof $ref === "string") return schemaFaults(root, resolve(root, $ref), document, at);
  if (Array.isArray(anyOf)) return anyFaults(root, anyOf as readonly Json[], document, at);
  if (Array.isArray(values)) return values.includes(document) ? [] : [`${at}: is none of ${values.join(", ")}`];
  if (constant !== undefined) return document === constant ? [] : [`${at}: is not ${JSON.stringify(constant)}`];
  if (type === "array") {
    if (!Array.isArray(document)) return [`${at}: is no list`];
    return document.flatMap((item, i) => schemaFaults(root, items as Json, item, `${at}[${i}]`));
  }
  if (type === "object") {
    if (typeof document !== "object" || document === null || Array.isArray(document)) return [`${at}: is no object`];
    const known = (properties ?? {}) as Readonly<Record<string, Json>>;
    const missing = ((required ?? []) as readonly string[]).filter((field) => !(field in document));
    return [
      ...missing.map((field) => `${at}.${field}: is missing`),
      ...Object.entries(document).flatMap(([field, value]) => {
        const inner = Object.hasOwn(known, field) ? known[field] : additionalProperties;
        if (inner === false || inner === undefined) return [`${at}.${field}: is unknown`];
        return schemaFaults(root, inner as Json, value, `${at}.${field}`);
      }),
    ];
  }
  const isType = type === "integer" ? Number.isInteger(document) : typeof document === type;
  if (!isType) return [`${at}: is no ${String(type)}`];
  const isFine =
    (typeof pattern !== "string" || new RegExp(pattern).test(document as string)) &&
    (typeof minimum !== "number" || (document as number) >= minimum) &&
    (typeof maximum !== "number" || (document as number) <= maximum) &&
    (format !== "date-time" || !Number.isNaN(Date.parse(document as string)));
  return isFine ? [] : [`${at}: ${JSON.stringify(document)} is out of form`];
}

function without(schema: Json) {
  const {
    $ref: _a,
    anyOf: _b,
    enum: _c,
    const: _d,
    type: _e,
    properties: _f,
    required: _g,
    items: _h,
    ...rest
  } = schema;
  const { additionalProperties: _i, ...others } = rest;
  return others as Json & { pattern?: unknown; minimum?: unknown; maximum?: unknown; format?: unknown };
}

function resolve(root: Json, ref: string): Json {
  return ref
    .slice("#/".length)
    .split("/")
    .reduce((inside, key) => inside[key] as Json, root);
}

/** Nothing when one of them fits; else the faults of the nearest. */
function anyFaults(root: Json, schemas: readonly Json[], document: unknown, at: string): readonly string[] {
  const faults = schemas.map((schema) => schemaFaults(root, schema, document, at));
  return faults.toSorted((a, b) => a.length - b.length)[0] ?? [];
}
