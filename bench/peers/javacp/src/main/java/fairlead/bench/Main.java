package fairlead.bench;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.envoyproxy.controlplane.cache.v3.SimpleCache;
import io.envoyproxy.controlplane.server.DefaultExecutorGroup;
import io.envoyproxy.controlplane.server.V3DiscoveryServer;
import io.envoyproxy.controlplane.server.serializer.CachedProtoResourcesSerializer;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Java-control-plane as a peer in the fan-out benchmark: the bare library on a gRPC server, without callbacks and logs,
 * all clients in one group. It takes commands as lines of JSON on standard input, as every server of the benchmark
 * does; the first line is its configuration. It ends with its standard input.
 */
public final class Main {
  private static final Gson JSON = new Gson();
  private static final String GROUP = "bench";

  private record Config(int resources, int endpoints) {}

  public static void main(String[] arguments) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    Config config = JSON.fromJson(lines.readLine(), Config.class);
    SimpleCache<String> cache = new SimpleCache<>(node -> GROUP);
    Content content = new Content(config.resources(), config.endpoints());
    cache.setSnapshot(GROUP, content.snapshot());
    V3DiscoveryServer xds =
        new V3DiscoveryServer(
            List.of(), cache, new DefaultExecutorGroup(), new CachedProtoResourcesSerializer());
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(xds.getAggregatedDiscoveryServiceImpl())
            .addService(xds.getEndpointDiscoveryServiceImpl())
            .build()
            .start();
    answer("address", "127.0.0.1:" + server.getPort());
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonObject command = JSON.fromJson(line, JsonObject.class);
      switch (command.get("do").getAsString()) {
        case "tick" -> {
          long at = System.nanoTime();
          content.change(command.get("change").getAsInt());
          cache.setSnapshot(GROUP, content.snapshot());
          answer("at", at);
        }
        case "churn" -> answer("ticksAt", churn(cache, content, command));
        case "info" -> {
          // G1 gives memory back to the system at the end of a full collection.
          System.gc();
          Runtime runtime = Runtime.getRuntime();
          answer("heapBytes", runtime.totalMemory() - runtime.freeMemory());
        }
        default -> answer("error", "no such command: " + line);
      }
    }
    System.exit(0);
  }

  /** Changes at a steady pace. A change that starts late still counts from when it was due. */
  private static List<Long> churn(SimpleCache<String> cache, Content content, JsonObject command)
      throws InterruptedException {
    long startedAt = System.nanoTime();
    long every = 1_000_000_000L / command.get("perSecond").getAsInt();
    List<Long> ticksAt = new ArrayList<>();
    for (int index = 0; index < command.get("count").getAsInt(); index++) {
      long due = startedAt + index * every;
      long early = (due - System.nanoTime()) / 1_000_000;
      if (early > 0) {
        Thread.sleep(early);
      }
      content.change(command.get("change").getAsInt() + index);
      cache.setSnapshot(GROUP, content.snapshot());
      ticksAt.add(due);
    }
    return ticksAt;
  }

  private static void answer(String field, Object value) {
    JsonObject reply = new JsonObject();
    reply.add(field, JSON.toJsonTree(value));
    System.out.println(reply);
  }

  private Main() {}
}
