import { chooseLeds, ledsOf } from "../../domain/leds.ts";
import type { RoutingState } from "../../domain/routing-state.ts";
import type { State } from "../../domain/state.ts";
import { Service_EndpointDiscovery as EndpointDiscovery } from "../../gen/fairlead/admin/v1/service_pb.ts";

/** How proxies learn of a service's backends now, and why. It soon follows the service's setting and their number. */
export function endpointDiscovery(state: State, routing: RoutingState) {
  const service = state.get("service", routing.service);
  if (service === undefined) return {};
  const isOn = ledsOf(state, routing) !== undefined;
  return {
    endpointDiscovery: isOn ? EndpointDiscovery.LEDS : EndpointDiscovery.EDS,
    endpointDiscoveryReason: chooseLeds(service, routing, isOn).reason,
  };
}
