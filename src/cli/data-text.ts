import { type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { Document, Scalar, type ScalarTag, type ToStringOptions, visit } from "yaml";
import { escapeUnsafe, printable, printableJson } from "../domain/printable.ts";

/** JSON for programs, with a final newline, that is safe to show on a terminal whatever its strings hold. */
export function jsonText(value: unknown, indent?: number): string {
  return `${printableJson(JSON.stringify(value, null, indent))}\n`;
}

/** A message in the API's JSON form, including fields that hold their default and empty lists. */
export function messageJson<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): JsonValue {
  return toJson(desc, message, { alwaysEmitImplicit: true });
}

/**
 * YAML for programs that is safe to show on a terminal: strings with unsafe characters are in double quotes, where YAML
 * has escapes for them. Readers of YAML 1.2 and of YAML 1.1, where `on` is true, `012` is ten and `1e-7` is text, read back
 * the same value.
 */
export function yamlText(value: object, options: ToStringOptions = {}): string {
  const document = new Document(value, {
    aliasDuplicateObjects: false,
    compat: "yaml-1.1",
    customTags: (tags) => [EXPONENT, ...tags],
  });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== "string") return;
      const line = node.value.replaceAll("\n", "");
      if (printable(line) !== line || line === DEFAULT_KEY) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return escapeUnsafe(document.toString(options), (character, codePoint) => {
    if (character === "\n") return character;
    const digits = codePoint.toString(16);
    return codePoint > 0xffff ? `\\U${digits.padStart(8, "0")}` : `\\u${digits.padStart(4, "0")}`;
  });
}

/** A scalar that has a type of its own in YAML 1.1, which the library does not know. */
const DEFAULT_KEY = "=";

/** A number so large or small that JavaScript writes it with an exponent: YAML 1.1 requires a decimal point in it. */
const EXPONENT: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  identify: (value) => typeof value === "number" && /^[^.]+e/.test(String(value)),
  // Never matches, since this tag only writes; the library ignores tags without a test.
  test: /(?!)/,
  resolve: Number,
  stringify: ({ value }) => String(value).replace("e", ".0e"),
};
