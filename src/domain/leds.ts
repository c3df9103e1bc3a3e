import type { LedsRecord } from "./leds-record.ts";
import type { RoutingState } from "./routing-state.ts";
import type { Service } from "./service.ts";
import type { State } from "./state.ts";

/** A service is delivered by LEDS from this many backends on, and no longer below the second number; in between it stays. */
export const LEDS_FROM = 1000;
export const LEDS_BELOW = 500;

/** How a service's backends should reach proxies that support LEDS, and why. */
export interface LedsChoice {
  readonly on: boolean;
  readonly reason: string;
}

/** @param isOn Whether the service is delivered by LEDS now. */
export function chooseLeds(service: Service, { backends }: RoutingState, isOn: boolean): LedsChoice {
  const wanted = service.endpointDiscovery;
  if (wanted === "EDS") return { on: false, reason: "asked for by the service" };
  const other = backends.find(({ backend, status }) => status !== undefined && backend.target.kind !== "address");
  if (other !== undefined) return { on: false, reason: `${other.backend.name} is not an IP address and a port` };
  if (wanted === "LEDS") return { on: true, reason: "asked for by the service" };
  const count = backends.length;
  const on = count >= (isOn ? LEDS_BELOW : LEDS_FROM);
  return { on, reason: `${count} backends; LEDS from ${LEDS_FROM} on, EDS below ${LEDS_BELOW}` };
}

/**
 * The record that counts for a service now. An Envoy that is sent a member that is not an IP address exits at once, so a
 * backend that is not one switches LEDS off here, before the duty does.
 */
export function ledsOf(state: State, routing: RoutingState): LedsRecord | undefined {
  const record = state.record("leds", routing.service);
  const service = state.get("service", routing.service);
  if (record === undefined || service === undefined) return undefined;
  return chooseLeds(service, routing, true).on ? record : undefined;
}
