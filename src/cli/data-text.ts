import { type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { Document, Scalar, type ScalarTag, type ToStringOptions, visit } from "yaml";
import { escapeUnsafe, printable, printableJson } from "../domain/printable.ts";

/** JSON for programs, with a line end, that can be looked at on a terminal whatever is in its strings. */
export function jsonText(value: unknown, indent?: number): string {
  return `${printableJson(JSON.stringify(value, null, indent))}\n`;
}

/** A message in the API's JSON form, with the fields that hold their default and the lists that are empty. */
export function messageJson<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): JsonValue {
  return toJson(desc, message, { alwaysEmitImplicit: true });
}

/** The same as text. */
export function messageText<Desc extends DescMessage>(
  desc: Desc,
  message: MessageShape<Desc>,
  indent?: number,
): string {
  return jsonText(messageJson(desc, message), indent);
}

/**
 * YAML for programs that can be looked at on a terminal: strings with unsafe characters are in double quotes, in which YAML
 * has escapes for them. Reads back as what it was made of, by readers of YAML 1.2 and of 1.1, to whom `on` is true, `012` ten
 * and `1e-7` text.
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

/** A scalar of a type of its own in YAML 1.1, which the library does not know. */
const DEFAULT_KEY = "=";

/** A number so large or small that JavaScript writes it with an exponent: YAML 1.1 knows it by its point. */
const EXPONENT: ScalarTag = {
  tag: "tag:yaml.org,2002:float",
  default: true,
  identify: (value) => typeof value === "number" && /^[^.]+e/.test(String(value)),
  // Nothing is read by it; the library passes over tags without a test.
  test: /(?!)/,
  resolve: Number,
  stringify: ({ value }) => String(value).replace("e", ".0e"),
};
