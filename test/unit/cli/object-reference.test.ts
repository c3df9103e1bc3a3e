import { describe, expect, it } from "vitest";
import { KIND_ENTRIES } from "../../../src/cli/kinds.ts";
import { kindNamed, kindWords, objectReference, plainBackendName } from "../../../src/cli/object-reference.ts";
import { runAgainst } from "./fake-plane.ts";

describe("a kind", () => {
  it("is known by each of its words, of which no two kinds share one", () => {
    const words = KIND_ENTRIES.flatMap(kindWords);
    for (const entry of KIND_ENTRIES) for (const word of kindWords(entry)) expect(kindNamed(word)).toBe(entry);
    expect(new Set(words).size).toBe(new Set(KIND_ENTRIES.map(({ kind }) => kind)).size * 3 - 2);
    expect(kindNamed("SVC")).toBe(kindNamed("services"));
  });

  it("that is not known leads to the nearest, and to all there are", async () => {
    const { code, stderr } = await runAgainst({}, ["get", "servcie/shop"]);
    expect([code, stderr.split("\n")]).toEqual([
      2,
      [
        'unknown kind "servcie"; did you mean "service"?',
        "the kind must be service (svc), policy (pol), backend (be), health, listener (lis), route (rt) or fleet (fl)",
        "",
      ],
    ]);
  });
});

describe("an object", () => {
  it.each([
    ["service", "shop", { kind: "service", name: "shop" }],
    ["service/shop", undefined, { kind: "service", name: "shop" }],
    ["backend/shop/shop-1", undefined, { kind: "backend", name: "shop/shop-1" }],
    ["backend", "shop/shop-1", { kind: "backend", name: "shop/shop-1" }],
    // The backend `shop` of a service that is called so.
    ["backend", "backend/shop", { kind: "backend", name: "backend/shop" }],
    ["services", undefined, { kind: "services" }],
  ])("is read from %s and %s", (word, more, reference) => {
    expect(objectReference(word, more)).toEqual(reference);
  });

  it.each(["be/shop/a", "backend/shop/a", "backends/shop/a", "shop/a"])("that is a backend may be %s", (text) => {
    expect(plainBackendName(text)).toBe("shop/a");
  });

  const answers = {
    GetService: ({ name }: { name: string }) => ({ name }),
    GetBackend: ({ name }: { name: string }) => ({ name }),
    DeleteRoute: () => ({ revision: "1.9" }),
    DeleteRecord: () => ({ revision: "1.9" }),
    ListHistory: () => ({}),
    Rollback: () => ({}),
    ExplainService: () => ({ summary: "whole" }),
    ExplainNode: () => ({ summary: "whole" }),
    ExplainBackend: () => ({}),
    UnregisterBackend: () => ({}),
  };

  it.each([
    ["get svc/shop", "GetService", { name: "shop" }],
    ["get be/shop/shop-1", "GetBackend", { name: "shop/shop-1" }],
    ["get backends shop/shop-1", "GetBackend", { name: "shop/shop-1" }],
    ["delete rt/shop", "DeleteRoute", { name: "shop" }],
    ["delete record/projects/default/services/a", "DeleteRecord", { key: "projects/default/services/a" }],
    ["history svc/shop", "ListHistory", { kind: "service", name: "shop" }],
    ["rollback pol/fair --to 3", "Rollback", { kind: "policy", name: "fair", toGeneration: 3n }],
    ["explain service/shop", "ExplainService", { name: "shop" }],
    ["explain svc shop", "ExplainService", { name: "shop" }],
    ["explain node/edge-1", "ExplainNode", { name: "edge-1" }],
    ["explain be/shop/a", "ExplainBackend", { name: "shop/a" }],
    ["unregister backend/shop/a", "UnregisterBackend", { name: "shop/a" }],
  ])("is meant alike by every command: %s", async (argv, method, request) => {
    const { code, calls, stderr } = await runAgainst(answers, argv.split(" "));
    expect([code, stderr]).toEqual([0, ""]);
    expect(calls).toMatchObject([{ method, request }]);
  });

  it.each([
    ["get service/", '"service/" names no object: put its name after the slash'],
    ["get service/shop pay", '"service/shop" already names an object: "pay" is one name too many'],
    ["delete service", "name the object: KIND NAME or KIND/NAME"],
    ["history route", "name the object: KIND NAME or KIND/NAME"],
    [
      "explain",
      "say what to explain: backend, service, policy, listener, route, fleet, node, request, each followed by its name",
    ],
    [
      "explain servise/shop",
      '"servise/shop" cannot be explained; did you mean "service"?: backend, service, policy, listener, route, fleet, node, request, each followed by its name',
    ],
    [
      "explain verdict/edge",
      '"verdict/edge" cannot be explained: backend, service, policy, listener, route, fleet, node, request, each',
    ],
    ["explain constructor/x", '"constructor/x" cannot be explained'],
  ])("that is written wrongly is said to be: %s", async (argv, said) => {
    const { code, stderr } = await runAgainst({}, argv.split(" "));
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });

  it("may be written by short names that help tells", async () => {
    for (const command of ["get", "delete", "history", "rollback", "watch"]) {
      expect((await runAgainst({}, [command, "--help"])).stdout.replaceAll(/\s+/g, " ")).toContain("service (svc)");
    }
  });
});
