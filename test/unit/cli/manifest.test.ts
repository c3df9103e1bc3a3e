import { describe, expect, it } from "vitest";
import { parseManifests, problemLines } from "../../../src/cli/manifest.ts";
import { readStateDocuments } from "../../../src/cli/state-manifest.ts";

const parse = (text: string) => parseManifests([{ file: "shop.yaml", text }]);
const problemsOf = (text: string) => problemLines(parse(text).problems).join("\n");

describe("parseManifests", () => {
  it("reads several documents, skipping empty ones", () => {
    const { objects, problems } = parse(
      "---\nkind: Fleet\nname: edge\n---\n# nothing\n---\nkind: Service\nname: shop\n",
    );
    expect(problems).toEqual([]);
    expect(objects.map(({ any }) => any.object?.case)).toEqual(["fleet", "service"]);
  });

  it("reads JSON as well", () => {
    expect(parse('{"kind": "Service", "name": "shop", "drainTime": "30s"}').objects).toHaveLength(1);
  });

  it("reads anchors and aliases, and finds fields behind them", () => {
    const text = "kind: Route\nname: r\nrules:\n  - to: &to [{ service: shop }]\n  - to: *to\n";
    const { objects } = parse(text);
    expect(objects[0]?.placeOf("rules[1].to[0].service")).toEqual({ line: 4, column: 16 });
  });

  it.each([
    [
      "an unknown field",
      "kind: Fleet\nname: a\nnodez: {}\n",
      /^shop.yaml:3:1 {2}nodez {3}unknown field; did you mean "nodes"\?$/,
    ],
    [
      "an unknown kind",
      "kind: Servise\nname: a\n",
      /^shop.yaml:1:1 {2}kind {3}unknown kind "Servise"; did you mean "Service"\?$/,
    ],
    ["a missing kind", "name: a\n", /^shop.yaml:1:1 {2}kind {3}is missing/],
    ["an unknown enum value", "kind: Service\nname: a\nprotocol: HTTP3\n", /^shop.yaml:3:1 {2}protocol {3}/],
    [
      "a key given twice",
      "kind: Fleet\nname: a\nname: b\n",
      /^shop.yaml:3:1 {2}the key "name" is given twice, first at 2:1$/,
    ],
    [
      "a key given twice further in",
      "kind: Fleet\nname: a\nlabels: { a.b: x, team: y, a.b: z }\n",
      /^shop.yaml:3:28 {2}the key "a\.b" is given twice, first at 3:11$/,
    ],
    ["an undefined alias", "kind: Fleet\nname: *shop\n", /^shop.yaml:2:7 {2}the alias \*shop is undefined/],
    [
      "an undefined alias that is merged",
      "kind: Fleet\n<<: *base\n",
      /^shop.yaml:2:5 {2}the alias \*base is undefined/,
    ],
    [
      "an alias of another document's anchor",
      "kind: Fleet\nname: &n a\n---\nkind: Fleet\nname: *n\n",
      /^shop.yaml:5:7 {2}the alias \*n is undefined: .*in this document/,
    ],
    [
      "an alias within itself",
      "kind: Fleet\nname: a\nlabels: &l { a: *l }\n",
      /^shop.yaml:3:17 .*stands for the &l that it is part of/,
    ],
    ["a merge of what is no object", "kind: Fleet\n<<: 5\n", /^shop.yaml:2:1 {2}what << merges must be/],
    ["a tab", "kind: Fleet\n\tname: a\n", /^shop.yaml:2:1 .*[Tt]ab/],
    ["no object", "- 1\n", /^shop.yaml:1:1 .*is not an object/],
    ["an unknown tag", "kind: Fleet\nname: !js a\n", /^shop.yaml:2:7 /],
    [
      "an object given twice",
      "kind: Fleet\nname: a\n---\nkind: Fleet\nname: a\n",
      /^shop.yaml:5:1 .*already given at shop.yaml:2:1$/,
    ],
  ])("tells the place of %s", (_, text, expected) => {
    expect(problemsOf(text)).toMatch(expected);
    expect(parse(text).objects.length).toBeLessThan(2);
  });

  it("refuses a document that unfolds without end", () => {
    const text = `kind: Fleet\na: &a [1]\n${Array.from({ length: 9 }, (_, i) => `${"bcdefghij"[i]}: &${"bcdefghij"[i]} [${`*${"abcdefghi"[i]},`.repeat(9)}]`).join("\n")}\n`;
    expect(problemsOf(text)).toContain("aliases");
  });

  it("reads merge keys, also of several objects, and finds fields behind them", () => {
    const text = [
      "kind: Route",
      "name: r",
      "rules:",
      "  - &first",
      "    to: &to [{ service: shop }]",
      "    timeout: 5s",
      "  - <<: *first",
      "    timeout: 3s",
      "  - <<: [{ to: [{ service: cart }] }, *first]",
      "",
    ].join("\n");
    const { objects, problems } = parse(text);
    expect(problems).toEqual([]);
    expect(objects[0]?.any.object).toMatchObject({
      value: {
        rules: [
          { to: [{ service: "shop" }], timeout: { seconds: 5n } },
          { to: [{ service: "shop" }], timeout: { seconds: 3n } },
          { to: [{ service: "cart" }], timeout: { seconds: 5n } },
        ],
      },
    });
    expect(objects[0]?.placeOf("rules[1].to[0].service")).toEqual({ line: 5, column: 16 });
    expect(objects[0]?.placeOf("rules[1].timeout")).toEqual({ line: 8, column: 5 });
    expect(objects[0]?.placeOf("rules[2].timeout")).toEqual({ line: 6, column: 5 });
  });

  it("counts lines from the beginning of a file that is read a document at a time", () => {
    const read = (text: string) => readStateDocuments("all.yaml", { text, line: 10 });
    expect(read("---\nkind: Fleet\nname: a\nname: b\n")).toMatchObject([
      { problems: [{ place: { line: 13, column: 1 }, message: 'the key "name" is given twice, first at 12:1' }] },
    ]);
    expect(read("kind: Export\nrevision: *x\n")).toEqual([{ kind: "head", revision: "" }]);
  });

  it("takes a kind from an alias, and a quoted << for what it is", () => {
    const text = 'kind: &k Fleet\nname: a\nlabels: { "k": *k }\n---\nkind: Fleet\nname: b\nlabels: { "<<": x }\n';
    expect(problemsOf(text)).toMatch(/^shop.yaml:7:11 {2}labels|^$/);
    expect(parse("name: &k Fleet\nkind: *k\n").objects).toHaveLength(1);
  });

  it("shows every problem of every document, in order", () => {
    const { problems } = parse("kind: Fleet\nx: 1\ny: 2\n---\nkind: Nope\n");
    expect(problems.map(({ place }) => place?.line)).toEqual([2, 3, 5]);
  });

  it("finds a label whose key has dots", () => {
    const { objects } = parse('kind: Fleet\nname: a\nlabels:\n  app: x\n  app.example/team: "1"\n');
    expect(objects[0]?.placeOf("labels.app.example/team")).toEqual({ line: 5, column: 3 });
  });
});
