import { fromBinary } from "@bufbuild/protobuf";
import {
  type handleBidiStreamingCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type ClientStatusRequest, ClientStatusRequestSchema } from "../../gen/envoy/service/status/v3/csds_pb.ts";
import type { ClientStatus } from "./client-status.ts";
import { describeClients, isSupported } from "./describe-clients.ts";
import { frameOf } from "./encode-response.ts";
import { MessageError } from "./message-reader.ts";
import { type Peer, peerOf } from "./peer.ts";
import { type CallHandler, ServedCall } from "./served-call.ts";
import { rawMethod } from "./services.ts";
import type { StreamHost } from "./stream-host.ts";
import type { DiscoveryCall } from "./stream-transport.ts";

type Streams = { all(): Iterable<{ describe(): ClientStatus }> };

const SERVICE = "envoy.service.status.v3.ClientStatusDiscoveryService";
/** Requests of one call that wait until those before them are answered. */
const MAX_WAITING = 16;

/**
 * The client status discovery service (CSDS): what each connected client was sent, accepted and refused. It never includes
 * the contents of secrets.
 *
 * @param mayAsk Whether a peer may ask: the answer shows the configuration of every client.
 */
export function clientStatusService(
  host: StreamHost,
  streams: Streams,
  mayAsk: (peer: Peer) => boolean,
): [ServiceDefinition, UntypedServiceImplementation] {
  const denied = { code: status.PERMISSION_DENIED, details: "this client may not read the status of other clients" };
  const handle = (isUnary: boolean): handleBidiStreamingCall<Buffer, Buffer> => {
    return (call) => (mayAsk(peerOf(call)) ? new StatusCall(host, streams, call, isUnary) : call.emit("error", denied));
  };
  // On the wire a call with one request is like one with many.
  return [
    {
      FetchClientStatus: rawMethod(SERVICE, "FetchClientStatus"),
      StreamClientStatus: rawMethod(SERVICE, "StreamClientStatus"),
    },
    { FetchClientStatus: handle(true), StreamClientStatus: handle(false) },
  ];
}

/** One call of the service. Its requests are answered one by one, as fast as its client reads. */
class StatusCall implements CallHandler {
  readonly noun = "call";
  readonly name = "a call of the client status service";
  readonly #host: StreamHost;
  readonly #streams: Streams;
  readonly #isUnary: boolean;
  readonly #waiting: Buffer[] = [];
  #isAnswering = false;
  #hasEnded = false;
  #goOn: () => void = () => undefined;
  readonly #call: ServedCall;

  constructor(host: StreamHost, streams: Streams, call: DiscoveryCall, isUnary: boolean) {
    this.#host = host;
    this.#streams = streams;
    this.#isUnary = isUnary;
    const most = host.limits.maxStatusRequestBytes;
    this.#call = new ServedCall(host, call, { limit: "maxStatusRequestBytes", most }, this);
  }

  logged() {
    return {};
  }

  received(message: Buffer): void {
    this.#call.begin();
    this.#waiting.push(Buffer.from(message));
    if (this.#waiting.length > MAX_WAITING) {
      const details = `${MAX_WAITING} requests are waiting for their answers: read those first`;
      this.#call.fail(status.RESOURCE_EXHAUSTED, details);
    } else if (!this.#isAnswering) {
      this.#isAnswering = true;
      this.#answerAll().catch((thrown: unknown) => this.#call.refuse(thrown));
    }
  }

  drained(): void {
    this.#goOn();
  }

  ended(): void {
    this.#hasEnded = true;
    if (!this.#isAnswering) this.#call.end();
  }

  closed(): void {
    this.#goOn();
  }

  async #answerAll(): Promise<void> {
    const call = this.#call;
    for (let message = this.#waiting.shift(); message && !call.isClosed; message = this.#waiting.shift()) {
      const request = readRequest(message);
      const { clock, limits } = this.#host;
      const frame = frameOf(await describeClients(this.#streams.all(), request, { clock, ...limits }));
      if (call.isClosed) return;
      const { promise: drained, resolve } = Promise.withResolvers<void>();
      this.#goOn = resolve;
      call.write(frame, () => undefined);
      if (!call.isWritable) await drained;
      if (this.#isUnary) break;
    }
    this.#isAnswering = false;
    if (this.#hasEnded || this.#isUnary) call.end();
  }
}

/** @throws MessageError */
function readRequest(message: Buffer): ClientStatusRequest {
  let why = "the request cannot be decoded";
  try {
    const request = fromBinary(ClientStatusRequestSchema, message);
    if (isSupported(request)) return request;
    why = "nodes can be selected only by id: exact, prefix, suffix or contains";
  } catch {}
  throw new MessageError(status.INVALID_ARGUMENT, why);
}
