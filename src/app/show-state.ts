import type { Registry } from "prom-client";
import { encodingProfile } from "../domain/encoding-profile.ts";
import type { LocalNodeDirectory } from "../fleet/local-node-directory.ts";
import type { Context } from "../operations/context.ts";
import { countStanding, type StandingCounts } from "../operations/observing/standing-counts.ts";
import type { Containment } from "../runtime/containment.ts";
import { instrumentsOf } from "../runtime/instruments.ts";
import { boundedByName } from "../runtime/named-counts.ts";
import { rested } from "../runtime/rested.ts";
import { TYPE_LABELS, typeLabel } from "./type-label.ts";

export interface ShownState {
  readonly registry: Registry;
  readonly containment: Containment;
  readonly context: Context;
  /** The proxies of this replica. */
  readonly own: LocalNodeDirectory;
  readonly hasDuties: () => boolean;
}

const NOTHING: StandingCounts = {
  backends: new Map(),
  proxies: new Map(),
  refused: new Map(),
  held: new Map(),
  problems: new Map(),
};

/** Shows in the metrics what is so now. It is counted when somebody asks, and only then. */
export function showState({ registry, containment, context, own, hasDuties }: ShownState): void {
  const { gauge } = instrumentsOf(registry);
  const { mirror, plane, clock } = context;
  const counted = rested(clock, () => countStanding(context, own));
  // All other metrics are shown even if these cannot be counted.
  const counts = () =>
    counted().catch((thrown: unknown) => {
      containment.note("http", "the counts of /metrics", thrown);
      return NOTHING;
    });
  gauge(
    "fairlead_backends",
    "Backends by service and state; those that are active or degraded get new requests.",
    async () => eachCount((await counts()).backends, (service, state) => ({ service, state })),
    "service",
    "state",
  );
  gauge(
    "fairlead_proxies",
    'Proxies of this replica by fleet and state, in each state that they are in; fleet="" stands for those that no fleet selects. Of all replicas: expected, if the fleet says how many, and gone.',
    async () => eachCount((await counts()).proxies, (fleet, state) => ({ fleet, state })),
    "fleet",
    "state",
  );
  gauge(
    "fairlead_refused_resources",
    "Resources that proxies of this replica refuse at present, by resource type.",
    async () => {
      const { refused } = await counts();
      const byType = new Map(TYPE_LABELS.map((type) => [type, 0]));
      for (const [typeUrl, count] of refused)
        byType.set(typeLabel(typeUrl), (byType.get(typeLabel(typeUrl)) ?? 0) + count);
      return byType.entries().map(([type, count]) => [{ type }, count] as const);
    },
    "type",
  );
  gauge(
    "fairlead_held_resources",
    "Resources that are held back from proxies of this replica at present, by the reason.",
    async () => (await counts()).held.entries().map(([reason, count]) => [{ reason }, count] as const),
    "reason",
  );
  gauge(
    "fairlead_problems",
    "Problems as `fairlead status` lists them, by kind and severity, with the connected proxies of this replica only.",
    async () =>
      (await counts()).problems
        .entries()
        .flatMap(([kind, bySeverity]) =>
          Object.entries(bySeverity).map(([severity, count]) => [{ kind, severity }, count] as const),
        ),
    "kind",
    "severity",
  );
  gauge("fairlead_duty_holder", "1 on the replica that carries out the duties of all.", () => Number(hasDuties()));
  gauge(
    "fairlead_encoding_profile",
    "The encoding profile of the stored state; 0 if this release cannot read it.",
    () => {
      const profile = encodingProfile(mirror);
      return Number.isFinite(profile) ? profile : 0;
    },
  );
  gauge(
    "fairlead_build_info",
    "Always 1; the labels say which release of Fairlead runs, under which name, and with which store.",
    () => [[{ version: plane.version, replica: plane.replica, store: context.storeStatus().kind }, 1]],
    "version",
    "replica",
    "store",
  );
}

/** At most so many services or fleets by name: the others are added up. */
function* eachCount<L>(
  counts: ReadonlyMap<string, Readonly<Record<string, number>>>,
  labels: (name: string, state: string) => L,
): Iterable<readonly [L, number]> {
  for (const [name, byState] of boundedByName(counts)) {
    for (const [state, count] of Object.entries(byState)) yield [labels(name, state), count];
  }
}
