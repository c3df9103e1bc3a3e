import com.google.protobuf.Empty;
import com.google.protobuf.StringValue;
import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;

/**
 * A proxyless client over grpc-java: for each line that it reads it makes one call to the xDS target that its argument
 * names, and prints who answered or why nobody did. At the end of its input it closes its channel.
 */
final class Client {
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(2);
  // The library closes its management stream a moment after the last channel is gone, and does not tell when.
  private static final Duration FAREWELL = Duration.ofSeconds(10);
  private static final MethodDescriptor<Empty, StringValue> ASK =
      MethodDescriptor.<Empty, StringValue>newBuilder()
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("fairlead.test.Who/Ask")
          .setRequestMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
          .setResponseMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
          .build();

  public static void main(String[] arguments) throws Exception {
    ManagedChannel channel = Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).build();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    while (lines.readLine() != null) {
      System.out.println(ask(channel));
    }
    channel.shutdown();
    Thread.sleep(FAREWELL.toMillis());
  }

  private static String ask(ManagedChannel channel) {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(CALL_TIMEOUT);
    try {
      return "answer " + ClientCalls.blockingUnaryCall(channel, ASK, options, Empty.getDefaultInstance()).getValue();
    } catch (StatusRuntimeException error) {
      return "error " + String.valueOf(error.getStatus().getDescription()).replaceAll("\\s+", " ");
    }
  }

  private Client() {}
}
