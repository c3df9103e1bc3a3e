import * as fc from "fast-check";
import { expect, test } from "vitest";
import { targetText } from "../../../src/domain/backend.ts";
import { type RoutingState, routingState } from "../../../src/domain/routing-state.ts";
import { manifests } from "../../support/arbitrary-state.ts";
import { objectsOf, stateOf } from "../../support/state-of.ts";

const NAMES = ["a", "b", "c", "projects/p/services/d"];

test("law 1, eligibility: only an eligible backend is told to proxies as healthy or degraded, one for each address", () => {
  fc.assert(
    fc.property(manifests, (given) => {
      const state = stateOf(objectsOf(given));
      for (const name of NAMES) {
        const { backends } = routingState(state, name);
        const told = backends.filter(({ status }) => status !== undefined);
        const addresses = told.map(({ backend }) => targetText(backend.target));
        expect(new Set(addresses).size).toBe(addresses.length);
        for (const { eligibility, status } of backends) {
          expect(eligibility.eligible).toBe(status === "HEALTHY" || status === "DEGRADED");
        }
      }
    }),
  );
});

test("law 4, accounting: going on from any earlier state and beginning anew give the same", () => {
  fc.assert(
    fc.property(fc.array(manifests, { minLength: 2, maxLength: 4 }), (steps) => {
      const seen: Parameters<typeof objectsOf>[0][number][] = [];
      const previous = new Map<string, RoutingState>();
      for (const step of steps) {
        seen.push(...step);
        const state = stateOf(objectsOf(seen));
        for (const name of NAMES) {
          const next = routingState(state, name, previous.get(name));
          expect(next).toEqual(routingState(state, name));
          previous.set(name, next);
        }
      }
    }),
  );
});

test("draining never makes a backend eligible", () => {
  fc.assert(
    fc.property(manifests, (given) => {
      const drained = given.map((one) => (one.kind === "Backend" ? { ...one, state: "DRAINING" } : one));
      const state = stateOf(objectsOf(drained));
      for (const name of NAMES) {
        expect(routingState(state, name).backends.filter(({ eligibility }) => eligibility.eligible)).toEqual([]);
      }
    }),
  );
});
