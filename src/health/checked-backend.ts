import type { Backend, Target } from "../domain/backend.ts";
import type { DampingRules } from "../domain/damping.ts";
import type { Health } from "../domain/health.ts";
import { type HealthCheck, initialStatus } from "../domain/health-check.ts";
import { type Judged, startJudging } from "../domain/health-verdict.ts";
import { isChanging } from "../domain/health-verdict-streak.ts";
import { type Name, serviceOf } from "../domain/name.ts";
import { effectivePolicy } from "../domain/routing-state.ts";
import type { State } from "../domain/state.ts";

/** What a worker must know of a backend to check and judge it. */
export interface CheckSpec {
  readonly backend: Name;
  readonly uid: string;
  readonly service: Name;
  /** With the port that checks go to. */
  readonly target: Target;
  readonly check: HealthCheck;
  readonly damping: DampingRules | undefined;
  /** What it counts as before its first verdict. */
  readonly initial: HealthCheck["initial"];
}

/** How to check a backend; undefined when it does not exist, or its service has no check. */
export function checkSpec(state: State, name: Name): CheckSpec | undefined {
  const backend = state.get("backend", name);
  if (backend === undefined) return undefined;
  const service = serviceOf(name);
  const check = state.get("service", service)?.healthCheck;
  if (check === undefined) return undefined;
  return {
    backend: name,
    uid: backend.meta.uid,
    service,
    target: checkTarget(backend),
    check,
    damping: effectivePolicy(state, service).policy.damping,
    initial: initialStatus(check, backend.meta.createdAt),
  };
}

/** Where judging continues from: the prober's stored verdict on this very backend. */
export function takeOver(state: State, { backend, uid, initial }: CheckSpec): Judged {
  const isOwn = ({ source, backendUid }: Health) => source === "prober" && backendUid === uid;
  return startJudging(initial, Iterator.from(state.healthOf(backend)).find(isOwn));
}

/** Whether the next checks may bring another verdict, and are worth making sooner. */
export function isAboutToChange({ streak, given }: Judged): boolean {
  return given === undefined || isChanging(streak);
}

function checkTarget({ target, checkPort }: Backend): Target {
  return target.kind === "pipe" || checkPort === undefined ? target : { ...target, port: checkPort };
}
