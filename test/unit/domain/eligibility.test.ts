import { expect, test } from "vitest";
import { routingState } from "../../../src/domain/routing-state.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const BACKEND = { kind: "Backend", name: "shop/a", address: "10.0.0.1:80", meta: { uid: "u1" } };
const verdict = (source: string, status: string, more: object = {}) => ({
  kind: "Health",
  backend: "shop/a",
  source,
  status,
  backendUid: "u1",
  ...more,
});
const CHECKED = { kind: "Service", name: "shop", healthCheck: { http: { path: "/" } } };
const TRUSTED = { kind: "Service", name: "shop", healthCheck: { http: { path: "/" }, initialState: "HEALTHY" } };

test.each([
  ["nobody has said anything", [], true, "active", "HEALTHY"],
  [
    "one source says unhealthy",
    [verdict("prober", "HEALTHY"), verdict("reporter:a", "UNHEALTHY")],
    false,
    "unhealthy",
    "UNHEALTHY",
  ],
  [
    "one source says degraded",
    [verdict("prober", "HEALTHY"), verdict("reporter:a", "DEGRADED")],
    true,
    "degraded",
    "DEGRADED",
  ],
  [
    "an override vouches for it",
    [verdict("prober", "UNHEALTHY"), verdict("override", "HEALTHY")],
    true,
    "active",
    "HEALTHY",
  ],
  [
    "an override takes it out",
    [verdict("prober", "HEALTHY"), verdict("override", "UNHEALTHY")],
    false,
    "unhealthy",
    "UNHEALTHY",
  ],
  [
    "an earlier backend was unhealthy",
    [verdict("prober", "UNHEALTHY", { backendUid: "u0" })],
    true,
    "active",
    "HEALTHY",
  ],
  ["its check has not passed yet", [CHECKED], false, "pending", "UNHEALTHY"],
  [
    "only a reporter knows it and its check has not passed yet",
    [CHECKED, verdict("reporter:a", "HEALTHY")],
    false,
    "pending",
    "UNHEALTHY",
  ],
  ["its check has passed", [CHECKED, verdict("prober", "HEALTHY")], true, "active", "HEALTHY"],
  ["it is taken for healthy until its check fails", [TRUSTED], true, "active", "HEALTHY"],
  [
    "an override vouches for one that was never checked",
    [CHECKED, verdict("override", "HEALTHY")],
    true,
    "active",
    "HEALTHY",
  ],
  ["it drains", [{ ...BACKEND, state: "DRAINING" }], false, "draining", "DRAINING"],
  [
    "it drains and is unhealthy",
    [{ ...BACKEND, state: "DRAINING" }, verdict("prober", "UNHEALTHY")],
    false,
    "draining",
    "DRAINING",
  ],
  ["an older backend has its address", [{ ...BACKEND, name: "shop/0" }], false, "duplicate-address", undefined],
  ["a newer backend has its address", [{ ...BACKEND, name: "shop/b" }], true, "active", "HEALTHY"],
])("when %s", (_, more, eligible, reason, status) => {
  const { backends } = routingState(stateOf(objectsOf([BACKEND, ...more])), "shop");
  expect(backends.find(({ backend }) => backend.name === "shop/a")).toMatchObject({
    eligibility: { eligible, reason },
    status,
  });
});

test("a service uses the policy it names, else the one of its own name, else the built-in one", () => {
  const policies = [
    { kind: "Policy", name: "shop", panicThreshold: 1 },
    { kind: "Policy", name: "other", panicThreshold: 2 },
  ];
  const policyOf = (service: object, given: typeof policies) =>
    routingState(stateOf(objectsOf([{ kind: "Service", name: "shop", ...service }, ...given])), "shop").policyName;
  expect(policyOf({ policy: "other" }, policies)).toBe("other");
  expect(policyOf({}, policies)).toBe("shop");
  expect(policyOf({ policy: "none" }, policies)).toBeUndefined();
  expect(policyOf({}, [])).toBeUndefined();
});
