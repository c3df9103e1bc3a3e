import { afterEach, describe, expect, it } from "vitest";
import { AgreementWatch, agreementProblem } from "../../../src/control/agreement-watch.ts";
import { Mirror } from "../../../src/control/mirror.ts";
import { StateDigest } from "../../../src/control/state-digest.ts";
import { silentLogger } from "../../../src/runtime/logger.ts";
import type { WatchEvent } from "../../../src/store/state-store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { PeerNetwork } from "../../support/peer-network.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const watches: AgreementWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.stop();
});

/** Replicas that fold what they are given, and are given what a test wants. */
class Plane {
  readonly mirror = new Mirror();
  readonly digest = new StateDigest();
  readonly watch: AgreementWatch;
  readonly #network: PeerNetwork;
  repairs = 0;
  changes = 0;

  constructor(name: string, network: PeerNetwork, clock: FakeClock) {
    this.#network = network;
    const peers = network.join(name);
    this.watch = new AgreementWatch({
      mirror: this.mirror,
      digest: this.digest,
      peers,
      clock,
      random: seededRandom(1),
      log: silentLogger,
      repair: async () => {
        this.repairs += 1;
      },
      onChange: () => {
        this.changes += 1;
      },
    });
    watches.push(this.watch);
    this.#fold({ kind: "state", entries: [], revision: { epoch: 1, position: 0 }, synced: true });
    peers.announce(() => {
      const { revision } = this.mirror;
      const digest = this.digest.at(revision);
      return { revision, ...(digest !== undefined && { digest }) };
    });
  }

  put(position: number, value: string): void {
    const revision = { epoch: 1, position };
    const changes = [{ key: "refusals/x", value: Buffer.from(value), revision }];
    this.#fold({ kind: "commit", revision, at: 0, changes });
    this.#network.tell();
  }

  #fold(event: WatchEvent): void {
    this.digest.fold(event);
    this.mirror.fold(event);
  }
}

function three() {
  const clock = new FakeClock();
  const network = new PeerNetwork();
  const planes = ["a", "b", "c"].map((name) => new Plane(name, network, clock));
  return { clock, network, planes: planes as [Plane, Plane, Plane] };
}

const holds = (planes: readonly Plane[]) => planes.map(({ watch }) => watch.hold);

describe("replicas that fold one log", () => {
  it("agree, also while one is behind the others", () => {
    const { planes } = three();
    const [a, b, c] = planes;
    a.put(1, "x");
    expect(holds(planes)).toEqual([undefined, undefined, undefined]);
    b.put(1, "x");
    a.put(2, "y");
    b.put(2, "y");
    expect(planes.map(({ watch }) => watch.agreement.kind)).toEqual(["agreed", "agreed", "agreed"]);
    c.put(1, "x");
    c.put(2, "y");
    expect(holds(planes)).toEqual([undefined, undefined, undefined]);
  });

  it("keep the one that differs out of service, which compares itself with the store until they agree again", async () => {
    const { planes, clock } = three();
    const [a, b, c] = planes;
    a.put(1, "x");
    b.put(1, "x");
    c.put(1, "z");
    expect(holds(planes)).toEqual([undefined, undefined, "state_differs"]);
    expect(a.watch.agreement.kind).toBe("majority");
    expect(agreementProblem(c.watch)[0]).toMatchObject({
      what: "state differs from a, b",
      why: expect.stringMatching(
        /at revision 1\.1 the state here has digest [0-9a-f]{16}, on a [0-9a-f]{16}; .* sends nothing/,
      ),
    });
    expect(agreementProblem(a.watch)[0]).toMatchObject({ what: "state differs from c" });
    expect(planes.map(({ repairs }) => repairs)).toEqual([0, 0, 1]);
    await clock.advance(30_000);
    expect(c.repairs).toBeGreaterThanOrEqual(3);
    c.put(1, "x");
    expect(holds(planes)).toEqual([undefined, undefined, undefined]);
    expect(planes.flatMap(({ watch }) => agreementProblem(watch))).toEqual([]);
    const { repairs } = c;
    await clock.advance(30_000);
    expect([c.repairs, c.changes]).toEqual([repairs, 2]);
  });

  it("all hold still when no side has the most", () => {
    const { planes } = three();
    for (const [i, plane] of planes.entries()) plane.put(1, `${i}`);
    expect(holds(planes)).toEqual(["state_divided", "state_divided", "state_divided"]);
  });

  it("count one that fell silent as what it was, and one that left not at all", () => {
    const { planes, network } = three();
    const [a, b] = planes;
    network.leave("c");
    a.put(1, "x");
    b.put(1, "z");
    expect(a.watch.hold).toBe("state_divided");
    network.silence("b", true);
    expect(a.watch.hold).toBe("state_divided");
    network.leave("b");
    expect(a.watch.hold).toBeUndefined();
  });
});
