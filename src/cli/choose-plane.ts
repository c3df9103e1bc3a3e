import { type Client, connectivityState as Connectivity } from "@grpc/grpc-js";

export interface ChosenPlane {
  readonly client: Client;
  /** False: none of them answers, and a call to this one will say why. */
  readonly isReady: boolean;
}

/**
 * The first of some planes that answers: one that refuses the connection costs nothing, one that takes it and is silent its
 * share of the time until `deadline`, in ms since the epoch.
 */
export async function choosePlane(clients: readonly Client[], deadline: number): Promise<ChosenPlane> {
  for (const [i, client] of clients.entries()) {
    const share = (deadline - Date.now()) / (clients.length - i);
    if (await becomesReady(client, Date.now() + share)) return { client, isReady: true };
  }
  const last = clients.at(-1);
  if (last === undefined) throw new Error("no plane is named");
  return { client: last, isReady: false };
}

/** Ready is a connection on which the other side has spoken: a process that is stopped takes connections too. */
function becomesReady(client: Client, until: number): Promise<boolean> {
  const channel = client.getChannel();
  return new Promise((resolve) => {
    const look = () => {
      const state = channel.getConnectivityState(true);
      if (state === Connectivity.READY) resolve(true);
      else if (state === Connectivity.TRANSIENT_FAILURE || state === Connectivity.SHUTDOWN) resolve(false);
      else channel.watchConnectivityState(state, until, (error) => (error === undefined ? look() : resolve(false)));
    };
    look();
  });
}
