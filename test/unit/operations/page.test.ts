import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, pageOf } from "../../../src/operations/objects/page.ts";

const read = { filter: "all", read: (name: string) => name, bytes: () => 1 };
const names = (count: number) => Array.from({ length: count }, (_, i) => `n${String(i).padStart(5, "0")}`);

test("pages together are every name once and in order, whatever the size of a page", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 })), fc.integer({ min: 1, max: 7 }), (all, pageSize) => {
      const seen: string[] = [];
      let pageToken = "";
      do {
        const page = pageOf(all, { pageSize, pageToken }, read);
        seen.push(...page.items);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      expect(seen).toEqual([...all].sort());
    }),
  );
});

test("what comes and goes between two pages neither repeats nor hides the others", () => {
  const first = pageOf(["b", "d", "f"], { pageSize: 2, pageToken: "" }, read);
  const second = pageOf(["a", "b", "e", "f"], { pageSize: 2, pageToken: first.nextPageToken }, read);
  expect([...first.items, ...second.items]).toEqual(["b", "d", "e", "f"]);
});

test("no size means the default, and too large a one the largest", () => {
  expect(pageOf(names(5000), { pageSize: 0, pageToken: "" }, read).items).toHaveLength(DEFAULT_PAGE_SIZE);
  expect(pageOf(names(5000), { pageSize: 4000, pageToken: "" }, read).items).toHaveLength(MAX_PAGE_SIZE);
});

test("a page ends early rather than grow beyond what clients take", () => {
  const large = { ...read, bytes: () => 1_000_000 };
  const page = pageOf(names(100), { pageSize: 100, pageToken: "" }, large);
  expect(page.items).toHaveLength(4);
  expect(page.nextPageToken).not.toBe("");
});

test.each(["nonsense", Buffer.from("x:y").toString("base64url")])("the token %s is refused", (pageToken) => {
  expect(() => pageOf(["a"], { pageSize: 1, pageToken }, read)).toThrow(
    expect.objectContaining({ kind: "invalid", code: "INVALID_FIELD" }),
  );
});

test("a token of another request is refused", () => {
  const { nextPageToken } = pageOf(["a", "b"], { pageSize: 1, pageToken: "" }, read);
  expect(() => pageOf(["a", "b"], { pageSize: 1, pageToken: nextPageToken }, { ...read, filter: "some" })).toThrow(
    expect.objectContaining({ kind: "invalid" }),
  );
});
