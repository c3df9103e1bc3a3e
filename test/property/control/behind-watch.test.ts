import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AHEAD_MS, followLag, type Lag } from "../../../src/control/behind-watch.ts";
import type { Peer } from "../../../src/store/peers.ts";

const at = (position: number) => ({ epoch: 1, position });
const peer = (position: number, status: Peer["status"] = "live"): Peer => ({
  replica: "b",
  status,
  position: { revision: at(position) },
  heardAt: 0,
});

describe("being behind", () => {
  it("is found when what a peer told was not reached within the bound, and only then", () => {
    const moments = fc.array(
      fc.record({ afterMs: fc.integer({ min: 1, max: 4000 }), told: fc.nat(3), folded: fc.nat(3) }),
    );
    fc.assert(
      fc.property(moments, (taken) => {
        let lag: Lag | undefined;
        let [now, told, own] = [0, 0, 0];
        /** When each position was told first. */
        const toldAt = new Map<number, number>();
        for (const moment of taken) {
          now += moment.afterMs;
          for (let i = 0; i < moment.told; i++) toldAt.set(++told, now);
          own = Math.min(told, own + moment.folded);
          lag = followLag(lag, { own: at(own), peers: [peer(told)], now });
          const oldestOpen = toldAt.get(own + 1);
          if (own === told) expect(lag).toBeUndefined();
          // It never says more than is true: what is waited for was told no later than that, and is still not there.
          if (lag !== undefined) {
            expect(lag.since).toBeGreaterThanOrEqual(oldestOpen ?? Infinity);
            expect(lag.target.position).toBeGreaterThan(own);
          }
        }
      }),
    );
  });

  it("of a replica that stands still lasts from the first word of it", () => {
    let lag: Lag | undefined;
    for (let now = 0; now <= AHEAD_MS; now += 100) lag = followLag(lag, { own: at(1), peers: [peer(2 + now)], now });
    expect(lag).toEqual({ target: at(2), since: 0 });
  });

  it("is nothing when nobody who is heard is ahead", () => {
    expect(followLag({ target: at(5), since: 0 }, { own: at(1), peers: [peer(9, "unknown")], now: 1 })).toBeUndefined();
    expect(followLag(undefined, { own: at(9), peers: [peer(9)], now: 1 })).toBeUndefined();
  });
});
