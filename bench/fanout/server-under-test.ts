/** A server of the benchmark as the driver sees it, whatever it is and however it is told to change. */
import { ControlledProcess } from "./process.ts";
import { type Contestant, serverProgram } from "./programs.ts";
import type { ServerAnswer, ServerCommand, ServerConfig } from "./servers/control.ts";
import { type Churned, type Write, writeAtPace, writeOnce } from "./write-at-pace.ts";

export interface ServerUnderTest {
  /** Where proxies connect. */
  readonly address: string;
  readonly pid: number;
  /** Makes one change. @returns when it began, on the monotonic clock in nanoseconds */
  tick(change: number): Promise<number>;
  /** Makes changes at a steady pace, fewer when it falls far behind. */
  churn(pace: { readonly first: number; readonly count: number; readonly perSecond: number }): Promise<Churned>;
  /** Collects garbage and gives memory back to the system. @returns bytes in use on the heap, where the server tells them */
  tidy(): Promise<number>;
  stop(): Promise<void>;
}

/** A server that outlives its process. */
export interface RestartableServer extends ServerUnderTest {
  /** Ends the process as a power cut does. */
  crash(): Promise<void>;
  /** Starts it again with the same state and the same address. @returns when it is ready, by `performance.now` */
  restart(): Promise<number>;
}

/** Starts a server that obeys on its standard input: a library in a program of ours. */
export async function startControlled(contestant: Contestant, config: ServerConfig): Promise<ServerUnderTest> {
  const child = new ControlledProcess<ServerConfig | ServerCommand, ServerAnswer>(serverProgram(contestant));
  try {
    const { address = "", api } = await child.ask(config);
    const changes = api === undefined ? obedient(child) : written(api);
    return {
      ...changes,
      address,
      pid: child.pid,
      tidy: async () => (await child.ask({ do: "info" })).heapBytes ?? Number.NaN,
      stop: () => child.stop(),
    };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

type Changes = Pick<ServerUnderTest, "tick" | "churn">;

/** The server makes its changes itself: nothing but the push is measured. */
function obedient(child: ControlledProcess<ServerConfig | ServerCommand, ServerAnswer>): Changes {
  return {
    tick: async (change) => (await child.ask({ do: "tick", change })).at ?? 0,
    churn: async ({ first, ...pace }) => {
      const { ticksAt = [] } = await child.ask({ do: "churn", change: first, ...pace });
      return { ticksAt, writesMs: [] };
    },
  };
}

/** Each change is a call from outside. */
function written(api: string): Changes {
  const write: Write = async (change) => {
    const answer = await fetch(`http://${api}/set?change=${change}`, { method: "POST" });
    if (!answer.ok) throw new Error(`the set call answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  };
  return { tick: (change) => writeOnce(write, change), churn: (pace) => writeAtPace(write, { ...pace, lanes: 1 }) };
}
