import { type Client, connectivityState as Connectivity } from "@grpc/grpc-js";

export interface ChosenPlane {
  readonly client: Client;
  /** False when none of them answers; a call to this one will then say why. */
  readonly isReady: boolean;
}

/**
 * The first plane that answers: one that refuses the connection costs no time, one that accepts it and stays silent costs
 * its share of the time until `deadline`, in ms since the epoch.
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

/** A connection is ready once the other side has sent something: a stopped process accepts connections too. */
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
