import { FORGET_AFTER } from "../../src/domain/fleet.ts";
import { type Presence, type PresencePart, presenceByFleet } from "../../src/domain/presence.ts";
import type { Duty } from "../../src/duties/duty.ts";
import { keepPresence } from "../../src/duties/keep-presence.ts";
import type { ToldNode } from "../../src/fleet/node-directory.ts";
import { PRESENCE } from "../../src/store/keys/presence-record.ts";
import { readForm } from "../../src/store/keys/record-form.ts";
import type { Entry } from "../../src/store/state-store.ts";

interface Replica {
  isSilent: boolean;
  /** What it remembers of proxies that left it. */
  readonly ended: Map<string, ToldNode>;
}

/** Replicas, proxies and the record of them, in a time that passes by the second. */
export class PresenceWorld {
  now = 1_000_000_000_000;
  commits = 0;
  turnover = 0;
  readonly entries = new Map<string, Entry>();
  readonly #replicas = new Map<string, Replica>();
  /** Where each proxy is. */
  readonly places = new Map<string, { readonly replica: string; readonly since: number; readonly fleet: string }>();
  readonly fleets = new Map([["edge", { forgetAfterMs: FORGET_AFTER.otherwiseMs as number }]]);
  #duty: Duty;

  constructor(...replicas: readonly string[]) {
    for (const name of replicas) this.startReplica(name);
    this.#duty = this.#newDuty();
  }

  startReplica(name: string): void {
    this.#replicas.set(name, { isSilent: false, ended: new Map() });
    this.turnover += 1;
  }

  /** It is silent from now on, and its proxies are left to themselves or stay with it. */
  silence(name: string, isSilent = true): void {
    const replica = this.#replicas.get(name);
    if (replica !== undefined) replica.isSilent = isSilent;
    this.turnover += 1;
  }

  /** It is dead, and forgotten by the others; its proxies have lost it. */
  dropReplica(name: string): void {
    this.#replicas.delete(name);
    for (const [id, { replica }] of this.places) if (replica === name) this.places.delete(id);
    this.turnover += 1;
  }

  /** Somebody else does the duty from now on, who has seen nothing. */
  takeOver(): void {
    this.#duty = this.#newDuty();
  }

  connect(id: string, replica: string, fleet = "edge"): void {
    this.leave(id);
    this.places.set(id, { replica, since: this.now, fleet });
    this.turnover += 1;
  }

  leave(id: string): void {
    const place = this.places.get(id);
    if (place === undefined) return;
    this.places.delete(id);
    const types = [
      {
        typeUrl: "t/C",
        shortName: "CDS",
        state: "acked",
        known: 3,
        resources: [],
        refusals: [],
        refused: 0,
        missing: [],
      },
    ] as const;
    this.#replicas
      .get(place.replica)
      ?.ended.set(id, { ...toldNode(id, place), connected: false, since: this.now, types });
    this.turnover += 1;
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.now += 1_000;
      const { batches } = await this.#duty.plan(this.now);
      for (const ops of batches) {
        this.commits += 1;
        for (const op of ops) {
          const revision = { epoch: 0, position: this.commits };
          if (op.op === "delete") this.entries.delete(op.key);
          else this.entries.set(op.key, { key: op.key, value: op.value, revision });
        }
      }
    }
  }

  parts(): readonly PresencePart[] {
    return [...this.entries.values()].flatMap(({ value }) => readForm(PRESENCE, value) ?? []);
  }

  recorded(fleet = "edge"): readonly Presence[] {
    return presenceByFleet(this.parts()).get(fleet) ?? [];
  }

  ids(state: Presence["state"], fleet = "edge"): readonly string[] {
    return this.recorded(fleet)
      .filter((one) => one.state === state)
      .map(({ id }) => id)
      .toSorted();
  }

  #newDuty(): Duty {
    return keepPresence({
      mirror: { get: (_kind, name) => this.fleets.get(name) as never, isSetAside: () => false },
      store: { read: async () => ({ entries: [...this.entries.values()], revision: { epoch: 0, position: 0 } }) },
      nodes: {
        attendance: () => `${this.turnover}`,
        nodes: async () => {
          const heard = [...this.#replicas].filter(([, { isSilent }]) => !isSilent);
          const live = new Set(heard.map(([name]) => name));
          const connected = [...this.places].filter(([, { replica }]) => live.has(replica));
          const ended = heard.flatMap(([, replica]) => [...replica.ended.values()]);
          const left = ended.filter(({ id }) => !this.places.has(id));
          const unknown = [...this.#replicas].flatMap(([replica, one]) =>
            one.isSilent ? { replica, silentMs: 1 } : [],
          );
          return { told: [...connected.map(([id, place]) => toldNode(id, place)), ...left], unknown };
        },
      },
      live: () => [...this.#replicas].flatMap(([name, { isSilent }]) => (isSilent ? [] : name)),
    });
  }
}

function toldNode(
  id: string,
  place: { readonly replica: string; readonly since: number; readonly fleet: string },
): ToldNode {
  return {
    id,
    cluster: place.fleet,
    fleet: place.fleet,
    silent: undefined,
    client: "envoy",
    envoyVersion: "1.40.0",
    variant: "delta",
    connected: true,
    since: place.since,
    peer: "127.0.0.1:1",
    replica: place.replica,
    duplicate: false,
    types: [],
    lagMs: 0,
    settled: undefined,
  };
}
