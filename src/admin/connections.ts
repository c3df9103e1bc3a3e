import type { Socket } from "node:net";
import type { ControlPlaneError } from "../domain/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { exhausted, refuseAbove } from "./exhausted.ts";
import { type AdminLimits, type CallKind, WIRE_BYTES } from "./limits.ts";

/** How often arriving requests are looked at, while there are any. */
const LOOK_MS = 100;
/** Between refusing arriving requests and ending their connection, which alone frees the memory. */
const LAST_WORDS_MS = 250;
/** A request of up to this size is worked on, however much else is. */
const SMALL_BYTES = 64 * 1024;

const FEWER_AT_A_TIME = "send fewer large requests at a time";

/** What is needed of a socket here. */
export type ClientSocket = Pick<Socket, "bytesRead" | "destroy" | "once" | "remoteAddress" | "remotePort">;

/** A call from its beginning until its stream is closed. */
export interface OpenCall {
  /**
   * Records that its request has arrived.
   *
   * @throws ControlPlaneError `exhausted` / `TOO_MANY_REQUEST_BYTES`: it must not be worked on.
   */
  arrived(bytes: number): void;
  close(): void;
}

interface Connection {
  readonly socket: ClientSocket;
  readonly calls: Map<CallKind, number>;
  /** Calls whose request has not arrived yet, each with when it began and how to refuse it. */
  readonly arriving: Map<OpenCall, { readonly since: number; readonly refuse: (error: ControlPlaneError) => void }>;
  /** How many bytes the connection had read before the requests that arrive now. */
  readBefore: number;
  /** Bytes of requests that are worked on. */
  worked: number;
  hadCall: boolean;
  idleSince: number;
}

/** Who is connected to the admin port, with which calls, and what is held for them in memory. */
export class Connections {
  readonly #limits: AdminLimits;
  readonly #clock: Clock;
  readonly #connections = new Map<string, Connection>();
  readonly #calls = new Map<CallKind, number>();
  #worked = 0;
  #isLooking = false;

  constructor(limits: AdminLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Accepts a connection, in place of one without calls if there are too many; returns false when all have calls. */
  add(socket: ClientSocket): boolean {
    if (this.#connections.size >= this.#limits.maxConnections && !this.#makeRoom()) {
      socket.destroy();
      return false;
    }
    const name = nameOf(socket.remoteAddress, socket.remotePort);
    const now = this.#clock.monotonic();
    const connection: Connection = {
      socket,
      calls: new Map(),
      arriving: new Map(),
      readBefore: 0,
      worked: 0,
      hadCall: false,
      idleSince: now,
    };
    this.#connections.set(name, connection);
    const stopWaiting = this.#clock.after(this.#limits.firstCallMs, () => {
      if (!connection.hadCall) socket.destroy();
    });
    socket.once("close", () => {
      stopWaiting();
      if (this.#connections.get(name) === connection) this.#connections.delete(name);
    });
    return true;
  }

  /**
   * Counts a call that begins.
   *
   * @param refuse Ends it with an error while its request has not arrived.
   * @throws ControlPlaneError `exhausted` / `TOO_MANY_CALLS`.
   */
  begin(peer: Peer, kind: CallKind, refuse: (error: ControlPlaneError) => void): OpenCall {
    const connection = this.#connections.get(nameOf(peer.remoteAddress, peer.remotePort));
    if (connection === undefined) return { arrived: () => undefined, close: () => undefined };
    connection.hadCall = true;
    this.#checkCount(connection, kind);
    add(this.#calls, kind, 1);
    add(connection.calls, kind, 1);
    if (connection.arriving.size === 0) connection.readBefore = connection.socket.bytesRead;
    let worked = 0;
    let isClosed = false;
    const call: OpenCall = {
      arrived: (bytes) => {
        if (!connection.arriving.delete(call)) return;
        connection.readBefore += bytes;
        this.#checkWork(connection, bytes);
        worked = bytes;
        connection.worked += bytes;
        this.#worked += bytes;
      },
      close: () => {
        if (isClosed) return;
        isClosed = true;
        connection.arriving.delete(call);
        connection.worked -= worked;
        this.#worked -= worked;
        add(this.#calls, kind, -1);
        add(connection.calls, kind, -1);
        connection.idleSince = this.#clock.monotonic();
      },
    };
    connection.arriving.set(call, { since: this.#clock.monotonic(), refuse });
    this.#look();
    return call;
  }

  /** Closes a connection whose client does not take what it is sent, and so frees all that is held for it. */
  drop(peer: Peer): void {
    this.#connections.get(nameOf(peer.remoteAddress, peer.remotePort))?.socket.destroy();
  }

  dropAll(): void {
    for (const { socket } of this.#connections.values()) socket.destroy();
  }

  #makeRoom(): boolean {
    const oldest = [...this.#connections.values()]
      .filter(({ calls }) => calls.values().every((count) => count === 0))
      .reduce<Connection | undefined>((a, b) => (a !== undefined && a.idleSince <= b.idleSince ? a : b), undefined);
    oldest?.socket.destroy();
    return oldest !== undefined;
  }

  #checkCount(connection: Connection, kind: CallKind): void {
    const { perConnection, inAll } = this.#limits.calls[kind];
    const check = (whose: string, calls: ReadonlyMap<CallKind, number>, max: number) => {
      const limit = `open calls of kind "${kind}" ${whose}`;
      const came = (calls.get(kind) ?? 0) + 1;
      refuseAbove("TOO_MANY_CALLS", { limit, came, max, cure: "wait until others have ended" });
    };
    check("on one connection", connection.calls, perConnection);
    check("of all clients", this.#calls, inAll);
  }

  #checkWork(connection: Connection, bytes: number): void {
    if (bytes <= SMALL_BYTES) return;
    const { perConnection, inAll } = this.#limits.heldBytes;
    const check = (whose: string, worked: number, max: number) => {
      const limit = `bytes of requests of ${whose} that are worked on`;
      refuseAbove("TOO_MANY_REQUEST_BYTES", { limit, came: worked + bytes, max, cure: FEWER_AT_A_TIME });
    };
    check("one connection", connection.worked, perConnection);
    check("all clients", this.#worked, inAll);
  }

  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#clock.after(LOOK_MS, () => {
      this.#isLooking = false;
      this.#endWhatArrives();
      if ([...this.#connections.values()].some(({ arriving }) => arriving.size > 0)) this.#look();
    });
  }

  /** Ends connections whose requests do not end in time, or are too long together. */
  #endWhatArrives(): void {
    const { requestMs, heldBytes } = this.#limits;
    const now = this.#clock.monotonic();
    const held: { readonly connection: Connection; readonly bytes: number }[] = [];
    for (const connection of this.#connections.values()) {
      const [first] = connection.arriving.values();
      if (first === undefined) continue;
      // No more than was read, and no more than these requests can hold: what was read may have been for others.
      const { arriving, socket, readBefore } = connection;
      const bytes = Math.min(socket.bytesRead - readBefore, arriving.size * WIRE_BYTES);
      if (now - first.since > requestMs) this.#end(connection, tooSlow(requestMs, bytes));
      else if (bytes > heldBytes.perConnection) {
        this.#end(connection, tooMuch("one connection", bytes, heldBytes.perConnection));
      } else held.push({ connection, bytes });
    }
    held.sort((a, b) => b.bytes - a.bytes);
    let all = held.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { connection, bytes } of held) {
      if (all <= heldBytes.inAll) break;
      this.#end(connection, tooMuch("all clients", all, heldBytes.inAll));
      all -= bytes;
    }
  }

  #end(connection: Connection, error: ControlPlaneError): void {
    for (const { refuse } of connection.arriving.values()) refuse(error);
    connection.arriving.clear();
    this.#clock.after(LAST_WORDS_MS, () => connection.socket.destroy());
  }
}

/** The other end of a connection, by which the connection is known. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

function nameOf(address = "", port = 0): string {
  return `${address} ${port}`;
}

function add(counts: Map<CallKind, number>, kind: CallKind, by: number): void {
  counts.set(kind, (counts.get(kind) ?? 0) + by);
}

function tooSlow(requestMs: number, bytes: number): ControlPlaneError {
  return exhausted("REQUEST_TOO_SLOW", {
    limit: "time for a request to arrive",
    came: `${bytes} bytes and no end in ${requestMs / 1000} s`,
    max: `${requestMs / 1000} s`,
    cure: "send it at once",
  });
}

function tooMuch(whose: string, came: number, max: number): ControlPlaneError {
  const limit = `bytes of unfinished requests of ${whose}`;
  return exhausted("TOO_MANY_REQUEST_BYTES", { limit, came, max, cure: FEWER_AT_A_TIME });
}
