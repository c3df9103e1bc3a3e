/** A client of one discovery method that writes bytes as a test tells it to, whole messages or not. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { eventually } from "../../support/eventually.ts";
import { ADS } from "./raw-client.ts";

export class Http2Client implements Disposable {
  readonly session: ClientHttp2Session;

  constructor(address: string) {
    this.session = connect(`http://${address}`);
    this.session.on("error", () => undefined);
  }

  open(path = `${ADS}/DeltaAggregatedResources`): Http2Stream {
    return new Http2Stream(
      this.session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" }),
    );
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

export class Http2Stream {
  readonly stream: ClientHttp2Stream;
  received = 0;
  #tail = Buffer.alloc(0);
  /** With what status the server ended the call, and why. */
  ended: { readonly code: number; readonly details: string } | undefined;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    const end = (headers: IncomingHttpHeaders) => {
      if (headers["grpc-status"] === undefined) return;
      this.ended = {
        code: Number(headers["grpc-status"]),
        details: decodeURIComponent([headers["grpc-message"] ?? ""].flat().join()),
      };
    };
    stream.on("response", end);
    stream.on("trailers", end);
    stream.on("data", (bytes: Buffer) => {
      this.received += bytes.length;
      this.#tail = Buffer.concat([this.#tail, bytes]).subarray(-64);
    });
    stream.on("error", () => undefined);
  }

  /** The nonce of the last response, which ends with it. */
  get nonce(): string {
    const tag = (5 << 3) | 2;
    const tail = this.#tail;
    const at = [...tail.keys()].find(
      (index) => tail[index] === tag && index + 2 + (tail[index + 1] ?? 0) === tail.length,
    );
    return at === undefined ? "" : tail.toString("utf8", at + 2);
  }

  /** Writes a message; one that is announced to be longer than it is has not arrived whole. */
  write(message: Uint8Array, announced = message.length): void {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(announced, 1);
    this.stream.write(Buffer.concat([prefix, message]));
  }

  async end(): Promise<{ readonly code: number; readonly details: string }> {
    const ended = await eventually(
      () => this.ended,
      (found) => found !== undefined,
      { what: "the server ends the call", timeoutMs: 20_000 },
    );
    return ended ?? { code: 0, details: "" };
  }
}
