import { expect, it } from "vitest";
import { matchedPath } from "../../../src/domain/normal-path.ts";

it.each([
  ["/a|b?c=/../d", "/a%7Cb"],
  ["/%7Ejoe//x/./y/../z", "/~joe/x/z"],
  ["\\a\\..\\b/", "/b/"],
  ["/a/..;v=1/b", "/b"],
  ["/a%2Fb", undefined],
  ["/", "/"],
])("of the target %s proxies match the path %s", (target, path) => {
  expect(matchedPath(target)).toBe(path);
});
