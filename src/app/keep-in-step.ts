import { Gauge, type Registry } from "prom-client";
import { AgreementWatch, agreementProblem } from "../control/agreement-watch.ts";
import { BehindWatch } from "../control/behind-watch.ts";
import type { Mirror } from "../control/mirror.ts";
import type { StateDigest } from "../control/state-digest.ts";
import type { Finding } from "../operations/finding.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";
import type { Store } from "../store/store.ts";
import type { XdsServer } from "../xds/server/library.ts";

/** Proxies that are sent elsewhere leave within this, each at its own moment. */
const SHED_OVER_MS = 10_000;

export interface InStepOptions {
  readonly mirror: Mirror;
  readonly digest: StateDigest;
  /** The encoding profiles that this release supports. */
  readonly profiles: readonly number[];
  readonly store: Pick<Store, "peers" | "status" | "verify">;
  readonly proxies: () => Pick<XdsServer, "recheckHolds" | "shed">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
}

/** How this replica stands among the others, and what follows for the proxies. */
export interface InStep {
  /** Why everything that is due is held back. */
  readonly hold: () => string | undefined;
  /** Why no new stream is taken. */
  readonly admit: () => string | undefined;
  readonly findings: () => readonly Finding[];
  readonly stop: () => void;
}

/** Serves only while this replica's state is that of most replicas, and not much older than theirs. */
export function keepInStep({ mirror, digest, profiles, store, proxies, registry, ...machine }: InStepOptions): InStep {
  const { peers } = store;
  const { clock, random } = machine;
  const log = machine.log.child({ component: "replicas" });
  const agreement = new AgreementWatch({
    mirror,
    digest,
    peers,
    clock,
    random,
    log,
    repair: () => store.verify(),
    onChange: () => proxies().recheckHolds(),
  });
  const behind = new BehindWatch({
    mirror,
    peers,
    clock,
    log,
    isStoreAway: () => store.status().away !== undefined || store.status().frozen !== undefined,
    onBehind: () => proxies().shed({ overMs: SHED_OVER_MS, reason: "another replica has newer state" }),
  });
  const hold = () => (profiles.includes(mirror.profile) ? agreement.hold : "profile_unsupported");
  let held: string | undefined;
  const stopFollowing = mirror.onFold(() => {
    if (hold() === held) return;
    held = hold();
    proxies().recheckHolds();
  });
  registry.registerMetric(
    new Gauge({
      name: "fairlead_replicas_differing",
      help: "Replicas whose state differs from this one's at the same revision.",
      registers: [],
      collect() {
        const { agreement: found } = agreement;
        this.set(found.kind === "agreed" ? 0 : found.differing.length);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "fairlead_fenced",
      help: "1 while this replica holds everything back and takes no proxy, because it is not in step with the others.",
      registers: [],
      collect() {
        this.set(hold() !== undefined || behind.isBehind ? 1 : 0);
      },
    }),
  );
  return {
    hold,
    admit: () => hold() ?? (behind.isBehind ? "behind_other_replicas" : undefined),
    findings: () => [
      ...agreementProblem(agreement),
      ...(behind.isBehind ? [{ what: "behind the other replicas", since: undefined, why: BEHIND }] : []),
    ],
    stop: () => {
      stopFollowing();
      agreement.stop();
      behind.stop();
    },
  };
}

const BEHIND = "they serve newer state than this replica has heard of, so that proxies are sent to them";
