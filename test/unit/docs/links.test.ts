import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const pages = [
  ...["README.md", "src/README.md", "CHANGELOG.md"],
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** As GitHub makes them of headings. */
function anchors(page: string): ReadonlySet<string> {
  const headings = readFileSync(join(root, page), "utf8").matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, text = ""]) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
}

function deadLinks(page: string): string[] {
  const prose = readFileSync(join(root, page), "utf8").replaceAll(/^```.*?^```$/gms, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchors(file).has(anchor);
    });
}

test.each(pages)("every link of %s leads somewhere", (page) => {
  expect(deadLinks(page)).toEqual([]);
});

test("every page of the docs is found from README.md", () => {
  const found = new Set<string>();
  const follow = (page: string) => {
    if (found.has(page) || !page.endsWith(".md") || !existsSync(join(root, page))) return;
    found.add(page);
    for (const [, target = ""] of readFileSync(join(root, page), "utf8").matchAll(/\]\(([^)#\s]+)[^)\s]*\)/g)) {
      follow(relative(root, join(root, dirname(page), target)));
    }
  };
  follow("README.md");
  expect(pages.filter((page) => !found.has(page) && !/^CHANGELOG|^docs\/decisions\//.test(page))).toEqual([]);
});
