import type { Handlers } from "../api/handlers.ts";
import { ControlPlaneError } from "../domain/errors.ts";
import { type Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import type { Clock } from "../runtime/clock.ts";

/** How often a watched status is looked at. */
const PERIOD_MS = 1000;

export interface HealthOptions {
  /** The services whose health is known; all have the same health, the plane's. */
  readonly serviceNames: readonly string[];
  /** Why the plane is not ready, or undefined. */
  readonly notReady: () => string | undefined;
  readonly clock: Clock;
}

/** The standard health service, `grpc.health.v1.Health`. */
export function healthHandlers({ serviceNames, notReady, clock }: HealthOptions): Handlers<typeof Health.method> {
  const known = new Set(["", ...serviceNames]);
  const present = () => (notReady() === undefined ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  return {
    check: ({ service }) => {
      if (known.has(service)) return { status: present() };
      throw new ControlPlaneError({
        kind: "notFound",
        code: "UNKNOWN_SERVICE",
        message: `there is no service ${service}`,
      });
    },
    list: () => ({ statuses: Object.fromEntries(Array.from(known, (name) => [name, { status: present() }])) }),
    watch: async function* ({ service }, { signal }) {
      let told: ServingStatus | undefined;
      while (!signal.aborted) {
        const status = known.has(service) ? present() : ServingStatus.SERVICE_UNKNOWN;
        if (status !== told) yield { status };
        told = status;
        await clock.sleep(PERIOD_MS, signal);
      }
    },
  };
}
