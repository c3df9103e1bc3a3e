import { AgreementWatch, agreementProblem } from "../control/agreement-watch.ts";
import { BehindWatch } from "../control/behind-watch.ts";
import type { Mirror } from "../control/mirror.ts";
import type { StateDigest } from "../control/state-digest.ts";
import { encodingProfile } from "../domain/encoding-profile.ts";
import type { Finding } from "../operations/observing/finding.ts";
import { refusedFindings } from "../operations/observing/refused-findings.ts";
import { instrumentsOf } from "../runtime/instruments.ts";
import type { InstrumentedMachine } from "../runtime/machine.ts";
import { OncePerTurn } from "../runtime/once-per-turn.ts";
import type { Peer, PeerPosition, Peers } from "../store/peers.ts";
import type { Store } from "../store/store.ts";
import type { XdsServer } from "../xds/server/library.ts";

/** Proxies that are sent elsewhere leave within this time, each at a moment of its own. */
const SHED_OVER_MS = 10_000;

export interface InStepOptions extends Omit<InstrumentedMachine, "containment"> {
  readonly mirror: Mirror;
  readonly digest: StateDigest;
  /** The encoding profiles that this release supports. */
  readonly profiles: readonly number[];
  readonly store: Pick<Store, "peers" | "status" | "verify">;
  /** Resolves once everything in the log is folded; rejects when the log cannot be read, or takes too long. */
  readonly catchUp: () => Promise<void>;
  /** Folds the whole state again. */
  readonly readAnew: () => void;
  /** Called when something else is held back than before, or nothing any more. */
  readonly recheckHolds: () => void;
  /** Called when the proxies are to leave for other replicas. */
  readonly shed: XdsServer["shed"];
}

/** Serves only while this replica's state is that of most replicas, and not much older than theirs. */
export function keepInStep(options: InStepOptions) {
  const { mirror, digest, profiles, store, catchUp, readAnew, recheckHolds, shed, registry, ...machine } = options;
  const { peers } = store;
  const { clock, random } = machine;
  const log = machine.log.child({ component: "replicas" });
  const isFrozen = () => store.status().frozen !== undefined;
  // A replica that saw the store go back holds the earlier state; it is neither judged by the others nor a witness.
  const witnesses = () => (isFrozen() ? [] : peers.list().filter(({ position }) => position.storeWentBack !== true));
  const agreement = new AgreementWatch({
    mirror,
    digest,
    peers: { list: witnesses, onChange: (listener) => peers.onChange(listener) },
    clock,
    random,
    log,
    repair: async () => {
      await store.verify();
      // The store's content may be right, and only what was derived from it wrong.
      readAnew();
    },
    onChange: () => recheck(),
  });
  const behind = new BehindWatch({
    mirror,
    peers,
    clock,
    log,
    isStoreAway: () => store.status().away !== undefined || isFrozen(),
    catchUp,
    onBehind: () => shed({ overMs: SHED_OVER_MS, reason: "another replica has newer state" }),
  });
  const hold = () => {
    if (!profiles.includes(encodingProfile(mirror))) return "profile_unsupported";
    // What a comparison found before the store was seen to go back says nothing any more: the others may hold less.
    if (isFrozen()) return undefined;
    return agreement.hold ?? (sawItGoBack(peers.list(), mirror.revision.epoch) ? WENT_BACK : undefined);
  };
  // Called for each proxy and resource, and each time the store looks at its file.
  const holdNow = new OncePerTurn(hold);
  let held: string | undefined;
  const recheck = () => {
    holdNow.forget();
    if (hold() === held) return;
    held = hold();
    log.warn({ held }, held === undefined ? "nothing is held back any more" : "everything is held back from proxies");
    recheckHolds();
  };
  const ends = [mirror.onFold(recheck), peers.onChange(recheck)];
  const { gauge } = instrumentsOf(registry);
  gauge("fairlead_replicas_differing", "Replicas whose state differs from this one's at the same revision.", () =>
    agreement.agreement.kind === "agreed" ? 0 : agreement.agreement.differing.length,
  );
  const admit = () => hold() ?? (behind.isBehind ? "behind_other_replicas" : undefined);
  gauge(
    "fairlead_fenced",
    "1 while this replica holds everything back and takes no proxy, because it is not in step with the others.",
    () => (admit() === undefined ? 0 : 1),
  );
  return {
    /** Why everything that is due is held back. */
    hold: () => holdNow.get(),
    /** What the others are told about that. */
    told: (): Pick<PeerPosition, "held" | "storeWentBack"> => {
      if (isFrozen()) return { held: WENT_BACK, storeWentBack: true };
      const why = hold();
      return why === undefined ? {} : { held: why };
    },
    /** Why no new stream is taken. */
    admit,
    findings: (): readonly Finding[] => {
      const held = hold();
      return [
        ...agreementProblem(agreement),
        ...(agreement.hold === undefined && held !== undefined
          ? [{ what: "this replica sends nothing", since: undefined, why: held }]
          : []),
        ...namesakeProblem(peers.namesake()),
        ...refusedFindings(peers.refused(), clock.now()),
        ...(behind.isBehind ? [{ what: "behind the other replicas", since: undefined, why: BEHIND }] : []),
      ];
    },
    stop: () => {
      for (const end of ends) end();
      agreement.stop();
      behind.stop();
    },
  };
}

/**
 * A replica that reads the store only now cannot see that it holds less than was served. So the replicas that saw it say so,
 * and only those: one that holds back because it was told does not pass that on, or all would hold back for as long as they
 * heard each other.
 */
const WENT_BACK = "store_went_back";

function sawItGoBack(peers: readonly Peer[], epoch: number): boolean {
  return peers.some(
    ({ status, position }) => status === "live" && position.storeWentBack === true && position.revision.epoch === epoch,
  );
}

function namesakeProblem(found: ReturnType<Peers["namesake"]>): readonly Finding[] {
  if (found === undefined) return [];
  const why =
    "they cannot hear each other, and only one of them counts: stop one, or give it another name with --replica";
  return [{ what: "another plane has this one's name", since: found.since, why }];
}

const BEHIND = "they serve newer state than this replica has received, so proxies are sent to them";
