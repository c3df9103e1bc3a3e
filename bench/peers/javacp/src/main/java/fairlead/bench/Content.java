package fairlead.bench;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.controlplane.cache.v3.Snapshot;
import io.envoyproxy.envoy.config.core.v3.Address;
import io.envoyproxy.envoy.config.core.v3.HealthStatus;
import io.envoyproxy.envoy.config.core.v3.SocketAddress;
import io.envoyproxy.envoy.config.endpoint.v3.ClusterLoadAssignment;
import io.envoyproxy.envoy.config.endpoint.v3.Endpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LbEndpoint;
import io.envoyproxy.envoy.config.endpoint.v3.LocalityLbEndpoints;
import java.util.ArrayList;
import java.util.List;

/** What is served: the same endpoints, byte for byte, as the other servers of the benchmark serve. */
final class Content {
  private final List<ClusterLoadAssignment> assignments = new ArrayList<>();
  private int version;

  Content(int resources, int endpoints) {
    for (int resource = 0; resource < resources; resource++) {
      LocalityLbEndpoints.Builder group = LocalityLbEndpoints.newBuilder();
      for (int index = 0; index < endpoints; index++) {
        group.addLbEndpoints(endpoint(index, index == 0 ? changeAddress(0) : ordinaryAddress(index)));
      }
      assignments.add(
          ClusterLoadAssignment.newBuilder()
              .setClusterName("cluster-" + resource)
              .addEndpoints(group)
              .build());
    }
  }

  /** Writes the number of the change into the first endpoint of one assignment; all others are shared. */
  void change(int change) {
    int at = change % assignments.size();
    ClusterLoadAssignment.Builder changed = assignments.get(at).toBuilder();
    changed.getEndpointsBuilder(0).setLbEndpoints(0, endpoint(0, changeAddress(change)));
    assignments.set(at, changed.build());
    version = change;
  }

  Snapshot snapshot() {
    return Snapshot.create(
        List.of(), assignments, List.of(), List.of(), List.of(), String.valueOf(version));
  }

  private static LbEndpoint endpoint(int index, String address) {
    SocketAddress socket = SocketAddress.newBuilder().setAddress(address).setPortValue(8080).build();
    return LbEndpoint.newBuilder()
        .setEndpoint(
            Endpoint.newBuilder()
                .setAddress(Address.newBuilder().setSocketAddress(socket))
                .setHostname(String.format("backend-%05d.shops.example", index)))
        .setHealthStatus(HealthStatus.HEALTHY)
        .setLoadBalancingWeight(UInt32Value.of(1))
        .build();
  }

  /** The number of a change as 10.A.B.C, where the load client finds it. */
  private static String changeAddress(int change) {
    return "10." + (change >> 16 & 255) + "." + (change >> 8 & 255) + "." + (change & 255);
  }

  private static String ordinaryAddress(int index) {
    return "172." + (16 + (index >> 16)) + "." + (index >> 8 & 255) + "." + (index & 255);
  }
}
