import { fromBinary } from "@bufbuild/protobuf";
import {
  type handleBidiStreamingCall,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type ClientStatusRequest, ClientStatusRequestSchema } from "../../gen/envoy/service/status/v3/csds_pb.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Deadlines, Expiring } from "./deadlines.ts";
import { describeClients, isSupported, type StatusSource } from "./describe-clients.ts";
import { frameOf } from "./encode-response.ts";
import type { HeldBytes } from "./held-bytes.ts";
import { LimitMet } from "./limit-met.ts";
import type { RefusingLimit, XdsLimits } from "./limits.ts";
import { MessageError } from "./message-reader.ts";
import { type Peer, peerOf } from "./peer.ts";
import { rawMethod } from "./services.ts";
import { StreamHoldings } from "./stream-holdings.ts";
import { connectionOf, type DiscoveryCall, type ResponseTransport, type TransportOf } from "./stream-transport.ts";

export type ClientStatusHost = {
  readonly sources: () => Iterable<StatusSource>;
  /** Whether a peer may ask: the answer shows the configuration of every client. */
  readonly mayAsk: (peer: Peer) => boolean;
  readonly limits: XdsLimits;
  readonly clock: Clock;
  readonly held: HeldBytes;
  readonly deadlines: Deadlines<Expiring>;
  readonly transportOf: TransportOf;
  readonly limitMet: (limit: RefusingLimit) => void;
  /** Called with an unexpected fault; the call has ended. */
  readonly failed: (thrown: unknown) => void;
};

const SERVICE = "envoy.service.status.v3.ClientStatusDiscoveryService";
/** Requests of one call that wait until those before them are answered. */
const MAX_WAITING = 16;

/**
 * The client status discovery service (CSDS): what each connected client was sent, accepted and refused. It never includes
 * the contents of secrets. The requests of a call are answered one by one, as fast as its client reads.
 */
export function clientStatusService(host: ClientStatusHost): [ServiceDefinition, UntypedServiceImplementation] {
  const handle = (isUnary: boolean): handleBidiStreamingCall<Buffer, Buffer> => {
    return (call) => {
      if (host.mayAsk(peerOf(call))) serveStatusCall(host, call, isUnary);
      else refuse(call, status.PERMISSION_DENIED, "this client may not read the status of others");
    };
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

/** Returns what serves a call; the call's listeners keep it alive for as long as the call lives. */
function serveStatusCall(host: ClientStatusHost, call: DiscoveryCall, isUnary: boolean): StatusCall {
  return new StatusCall(host, call, isUnary);
}

class StatusCall implements Expiring {
  readonly #host: ClientStatusHost;
  readonly #call: DiscoveryCall;
  readonly #isUnary: boolean;
  readonly #holdings: StreamHoldings;
  readonly #transport: ResponseTransport;
  readonly #waiting: Buffer[] = [];
  #isAnswering = false;
  #hasEnded = false;
  #closed = false;
  #goOn: () => void = () => undefined;

  constructor(host: ClientStatusHost, call: DiscoveryCall, isUnary: boolean) {
    this.#host = host;
    this.#call = call;
    this.#isUnary = isUnary;
    this.#holdings = new StreamHoldings(host.held.open(connectionOf(call), (limit) => this.#refuse(limit)));
    const bound = { limit: "maxStatusRequestBytes", most: host.limits.maxStatusRequestBytes } as const;
    this.#transport = host.transportOf(call, bound, {
      received: (message) => this.#received(message),
      held: (bytes) => this.#holdings.request(bytes),
      unreadable: (why) => this.#refuse(why),
      drained: () => this.#goOn(),
    });
    host.deadlines.begin(this);
    call.on("end", () => {
      this.#hasEnded = true;
      if (!this.#isAnswering) this.#end();
    });
    call.on("error", () => this.#close());
    call.on("cancelled", () => this.#close());
    this.#holdings.open();
  }

  expire(): void {
    const { requestMs } = this.#host.limits;
    this.#fail(status.DEADLINE_EXCEEDED, `no whole request within ${requestMs} ms (XdsLimits.requestMs)`);
  }

  #received(message: Buffer): void {
    if (this.#closed) return;
    this.#host.deadlines.end(this);
    this.#waiting.push(Buffer.from(message));
    if (this.#waiting.length > MAX_WAITING) {
      this.#fail(status.RESOURCE_EXHAUSTED, `${MAX_WAITING} requests wait for their answers: read them first`);
    } else if (!this.#isAnswering) {
      this.#isAnswering = true;
      this.#answerAll().catch((thrown: unknown) => this.#refuse(thrown));
    }
  }

  async #answerAll(): Promise<void> {
    for (let message = this.#waiting.shift(); message && !this.#closed; message = this.#waiting.shift()) {
      const request = readRequest(message);
      if (typeof request === "string") {
        this.#fail(status.INVALID_ARGUMENT, request);
        return;
      }
      const { clock, limits, sources } = this.#host;
      const frame = frameOf(await describeClients(sources(), request, { clock, ...limits }));
      if (this.#closed) return;
      const isTaken = this.#holdings.sending(frame.whole, frame.whole.length);
      const { promise: drained, resolve } = Promise.withResolvers<void>();
      this.#goOn = resolve;
      if (!this.#transport.write(frame, isTaken)) await drained;
      if (this.#isUnary) break;
    }
    this.#isAnswering = false;
    if (this.#hasEnded || this.#isUnary) this.#end();
  }

  #end(): void {
    if (this.#closed) return;
    this.#close();
    this.#call.end();
  }

  #refuse(why: unknown): void {
    if (this.#closed) return;
    if (why instanceof LimitMet) {
      this.#host.limitMet(why.limit);
      this.#fail(status.RESOURCE_EXHAUSTED, why.message);
      if (why.isOfHeldBytes) this.#transport.reset();
    } else if (why instanceof MessageError) this.#fail(why.code, why.message);
    else {
      this.#host.failed(why);
      this.#fail(status.INTERNAL, "the call met a fault of the server, which has logged it");
    }
  }

  #fail(code: status, details: string): void {
    if (this.#closed) return;
    this.#close();
    refuse(this.#call, code, details);
  }

  #close(): void {
    this.#closed = true;
    this.#host.deadlines.end(this);
    this.#transport.stop();
    this.#holdings.close();
    this.#goOn();
  }
}

/** The request, or what is wrong with it. */
function readRequest(message: Buffer): ClientStatusRequest | string {
  try {
    const request = fromBinary(ClientStatusRequestSchema, message);
    return isSupported(request) ? request : "nodes can be selected by id only: exact, prefix, suffix or contains";
  } catch {
    return "the request does not decode";
  }
}

function refuse(call: DiscoveryCall, code: status, details: string): void {
  call.emit("error", { code, details });
}
