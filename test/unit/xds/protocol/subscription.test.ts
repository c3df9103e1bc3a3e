import { describe, expect, it } from "vitest";
import { Subscription } from "../../../../src/xds/protocol/subscription.ts";

function sotw(...requests: string[][]): string {
  const subscription = new Subscription({ legacyWildcard: true });
  for (const names of requests) subscription.replace(names);
  return show(subscription);
}

function delta(...requests: { sub?: string[]; unsub?: string[] }[]): string {
  const subscription = new Subscription({ legacyWildcard: true });
  for (const { sub = [], unsub = [] } of requests) subscription.change(sub, unsub);
  return show(subscription);
}

function show({ wildcard, names }: Subscription): string {
  return [...(wildcard ? ["*"] : []), ...names].join(" ");
}

describe("the wildcard truth table over SotW", () => {
  it.each([
    ["xds W2: an empty first list is the wildcard", [[]], "*"],
    ["xds W2: it stays the wildcard while nothing is named", [[], []], "*"],
    ["xds W3: an empty list after a name is nothing", [["a"], []], ""],
    ["xds W3: an empty list after an explicit wildcard is nothing", [["*"], []], ""],
    ["xds W4: a name beside the explicit wildcard is added to it", [[], ["*", "a"]], "* a"],
    ["xds W4: leaving out the wildcard drops it", [[], ["*", "a"], ["a"]], "a"],
    ["xds W4: leaving out everything drops everything", [[], ["*", "a"], ["a"], []], ""],
    ["xds W4: the wildcard can come back", [["*", "a"], ["a"], [], ["*"]], "*"],
    ["xds W3: naming a resource after the legacy form drops the wildcard", [[], ["a"]], "a"],
    [
      "xds W6: a name may change beside the wildcard",
      [
        ["*", "a"],
        ["*", "b"],
      ],
      "* b",
    ],
  ])("%s", (_title, requests, expected) => {
    expect(sotw(...requests)).toBe(expected);
  });
});

describe("the wildcard truth table over delta", () => {
  it.each([
    ["xds W2: an empty first request is the wildcard", [{}], "*"],
    ["xds W5: subscribing a name keeps the legacy wildcard", [{}, { sub: ["a"] }], "* a"],
    ["xds W5: unsubscribing the wildcard keeps the name", [{}, { sub: ["a"] }, { unsub: ["*"] }], "a"],
    [
      "xds W5: unsubscribing the last name leaves nothing",
      [{}, { sub: ["a"] }, { unsub: ["*"] }, { unsub: ["a"] }],
      "",
    ],
    ["xds W5: unsubscribing the name keeps the wildcard", [{}, { sub: ["a"] }, { unsub: ["a"] }], "*"],
    ["xds W7: the explicit wildcard with names is a first message, too", [{ sub: ["*", "a"] }], "* a"],
    ["xds D5: an empty request changes nothing", [{ sub: ["a"] }, {}], "a"],
    ["xds D7: unsubscribing what was never subscribed is ignored", [{ sub: ["a"] }, { unsub: ["b", "*"] }], "a"],
    ["xds W3: unsubscribing all names is not a wildcard", [{ sub: ["a"] }, { unsub: ["a"] }], ""],
  ])("%s", (_title, requests, expected) => {
    expect(delta(...requests)).toBe(expected);
  });

  it("xds W8: an empty first request means nothing for a type without the legacy form", () => {
    const subscription = new Subscription({ legacyWildcard: false });
    subscription.change([], []);
    expect(show(subscription)).toBe("");
    subscription.change(["*"], []);
    expect(show(subscription)).toBe("*");
  });
});
