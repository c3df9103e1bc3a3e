import type { Name } from "./name.ts";

/** At least this many backends, and this share of all that one observer watches, must turn at once… */
export const MASS_FAILURE_MIN_BACKENDS = 10;
export const MASS_FAILURE_MIN_RATIO = 0.3;
/** …in at least this many services, before their verdicts wait. */
export const MASS_FAILURE_MIN_SERVICES = 2;
/** How long they wait for a second observer at most. */
export const MASS_FAILURE_MAX_WAIT_MS = 10_000;

/**
 * The backends that one observer sees turning unhealthy without any sign from the target: timeouts, unreachable hosts. Many
 * of them at once are evidence against the observer rather than against the backends.
 *
 * A backend is observed once per interval, so all those in here turned within one: each is removed at its next observation,
 * not when its verdict is given, which with an `unhealthyThreshold` of 1 is at once. One whose verdict was unhealthy before
 * is not turning. Refused connections, resets and bad answers are evidence from the target and never get here.
 */
export class TurningBackends {
  readonly #serviceOf = new Map<Name, Name>();
  readonly #perService = new Map<Name, number>();

  add(backend: Name, service: Name): void {
    if (this.#serviceOf.has(backend)) return;
    this.#serviceOf.set(backend, service);
    this.#perService.set(service, (this.#perService.get(service) ?? 0) + 1);
  }

  delete(backend: Name): void {
    const service = this.#serviceOf.get(backend);
    if (service === undefined) return;
    this.#serviceOf.delete(backend);
    const left = (this.#perService.get(service) ?? 1) - 1;
    if (left === 0) this.#perService.delete(service);
    else this.#perService.set(service, left);
  }

  get size(): number {
    return this.#serviceOf.size;
  }

  /** Whether so many turn at once that the observer itself is in doubt. */
  isMassFailure(watched: number): boolean {
    return (
      this.size >= MASS_FAILURE_MIN_BACKENDS &&
      this.size >= MASS_FAILURE_MIN_RATIO * watched &&
      this.#perService.size >= MASS_FAILURE_MIN_SERVICES
    );
  }
}
