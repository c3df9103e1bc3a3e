import type { Backend } from "../../domain/backend.ts";
import { countsFor, effectiveHealth } from "../../domain/eligibility.ts";
import { leftOutByFleet } from "../../domain/fleet-backends.ts";
import type { Health } from "../../domain/health.ts";
import type { HealthCheck } from "../../domain/health-check.ts";
import { serviceOf } from "../../domain/name.ts";
import { effectivePolicy, routingState } from "../../domain/routing-state.ts";
import { newestOf } from "../../store/revision.ts";
import { ENDPOINT_TYPE } from "../../xds/protocol/resource-types.ts";
import type { Context } from "../context.ts";
import { notFound, readName } from "../object-errors.ts";
import { endpointDiscovery } from "../objects/endpoint-discovery.ts";
import { presenter } from "../objects/present-object.ts";
import { ejectionText } from "./ejection-text.ts";
import { proxiesAt } from "./proxies-at.ts";

/** Why a backend gets traffic, or none. @throws ControlPlaneError `notFound`. */
export async function explainBackend(context: Context, text: string) {
  const { mirror, checks } = context;
  const name = readName("backend", text);
  const recent = await checks?.recent(name);
  const stored = mirror.stored("backend", name);
  const message = (await presenter(context))("backend", name);
  if (stored === undefined || message === undefined) throw notFound("backend", name);
  const backend = stored.object;
  const service = mirror.get("service", serviceOf(name));
  const verdicts = [...mirror.healthOf(name)];
  const { policy, policyName } = effectivePolicy(mirror, serviceOf(name));
  const healthCheck = mirror.stored("service", serviceOf(name))?.message.healthCheck;
  const judged = verdicts.flatMap((verdict) => mirror.stored("health", verdict.name)?.revision ?? []);
  const revision = newestOf([stored.revision, ...judged]) ?? stored.revision;
  return {
    backend: message,
    removedAt: backend.drainedAt === undefined ? undefined : backend.drainedAt + (service?.drainTimeMs ?? 0),
    healthCheck,
    verdicts: sorted(backend, verdicts, service?.healthCheck).map((verdict) => {
      const health = mirror.stored("health", verdict.name)?.message;
      const reason = whyNot(backend, verdict, service?.healthCheck);
      return { ...(health !== undefined && { health }), counts: reason === "", reason };
    }),
    policy: policyName ?? "",
    panicThreshold: policy.panicThreshold,
    revision,
    proxies: await proxiesAt(context, { typeUrl: ENDPOINT_TYPE, name: serviceOf(name) }, revision),
    ...endpointDiscovery(mirror, routingState(mirror, serviceOf(name))),
    leftOut: [...leftOutByFleet(mirror, serviceOf(name))].flatMap(([fleet, leftOut]) =>
      leftOut.filter(({ backend }) => backend.name === name).map(({ why }) => ({ fleet, reason: why })),
    ),
    ejection: ejectionText(mirror, serviceOf(name)),
    recent,
  };
}

export type ExplainedBackend = Awaited<ReturnType<typeof explainBackend>>;

/** The verdict that decides comes first, the others by source. */
function sorted(backend: Backend, verdicts: readonly Health[], check: HealthCheck | undefined): readonly Health[] {
  const decisive = effectiveHealth(backend, verdicts, check).verdict;
  const place = (verdict: Health) => (verdict === decisive ? `0${verdict.source}` : `1${verdict.source}`);
  return verdicts.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
}

function whyNot(backend: Backend, verdict: Health, check: HealthCheck | undefined): string {
  if (countsFor(verdict, backend, check)) return "";
  if (verdict.source === "prober" && check === undefined) return "its service is no longer checked";
  return "it is about an earlier backend of this name";
}
