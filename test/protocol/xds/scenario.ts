/**
 * Runs scenario scripts: commands, each followed by what the server says because of it.
 *
 *     group NAME                      the stream belongs to this group from now on ("none": to none); default "g"
 *     set TYPE:NAME@CONTENT… [-TYPE:NAME…]   one atomic update; `(eds:a)` after a resource gives what it refers to,
 *                                     `~ALIAS` after its name an alias, `!3000` after its content a TTL in ms, `%80` in
 *                                     its content an address that it opens
 *     stream delta|sotw|told [grpc]   a new stream of the same node, whose client is Envoy or a gRPC library; what was refused
 *                                     before is remembered; `told` is delta of a client that is told of every removal
 *     req TYPE key=value…             a request: names= version= nonce= error= (SotW), sub= unsub= init= nonce= error= (delta)
 *     ack TYPE [#n] | nack TYPE [#n] text    an answer to the n-th response of the stream, else to the newest of the type
 *     tick MS | hold TYPE:NAME reason | free | show
 *
 * Lines that begin with `<` are responses, with `!` reports, with `=` what `show` prints.
 */
import type { Report, Send } from "../../../src/xds/protocol/events.ts";
import { lostAnswers } from "../../../src/xds/protocol/lost-answers.ts";
import { createRegistry, createTellingRegistry } from "../../../src/xds/protocol/resource-types.ts";
import { ProtocolStream } from "../../../src/xds/protocol/stream.ts";
import type { StreamSettings } from "../../../src/xds/protocol/stream-settings.ts";
import { LocalRefusalMemory } from "../../../src/xds/server/refusal-memory.ts";
import { ResourceCache } from "../../../src/xds/server/resource-cache.ts";

type Pairs = Readonly<Record<string, string>>;

const REGISTRY = createRegistry();
const TELLING_REGISTRY = createTellingRegistry();
const NODE = "n1";

/** Runs one script and returns it with what was really said. */
export function runScenario(script: string, { aggregated } = { aggregated: true }): string {
  const run = new Scenario(aggregated);
  const lines = script.split("\n").filter((line) => !/^[<!=]/.test(line));
  return lines
    .flatMap((line) => (line.trim() === "" || line.startsWith("#") ? [line] : [line, ...run.command(line.trim())]))
    .join("\n");
}

class Scenario {
  readonly #cache = new ResourceCache();
  readonly #memory = new LocalRefusalMemory();
  readonly #holds = new Map<string, string>();
  readonly #labels = new Map<string, string>();
  readonly #clientNames = new Map<string, string>();
  readonly #accepted = new Map<string, string>();
  readonly #newest = new Map<string, Send>();
  /** Responses of the stream, the first one `#1` and so on, whatever their nonces are. */
  readonly #byNumber = new Map<string, Send>();
  readonly #numbers = new Map<string, string>();
  #stream: ProtocolStream | undefined;
  #variant: "sotw" | "delta" = "delta";
  #group = "g";
  #now = 0;

  readonly #aggregated: boolean;

  constructor(aggregated: boolean) {
    this.#aggregated = aggregated;
    this.#cache.update("g", () => undefined);
    this.#cache.onChange((group, changes, publication) => {
      if (group !== this.#group) return;
      this.#stream?.attach(this.#cache.served(this.#group));
      for (const [typeUrl, names] of changes) this.#stream?.publish(typeUrl, names, publication);
    });
  }

  command(line: string): string[] {
    const [verb = "", ...words] = line
      .replace(/#\s.*$/, "")
      .trim()
      .split(/\s+/);
    const out = this.#run(verb, words);
    return [...out, ...this.#flush()];
  }

  #run(verb: string, words: readonly string[]): string[] {
    const [first = "", ...rest] = words;
    switch (verb) {
      case "group":
        this.#group = first;
        this.#stream?.attach(this.#cache.served(first));
        return [];
      case "set":
        this.#update(words);
        return [];
      case "stream":
        this.#open(first === "sotw" ? "sotw" : "delta", {
          registry: first === "told" ? TELLING_REGISTRY : REGISTRY,
          takesPartly: rest.includes("grpc"),
        });
        return [];
      case "req":
        return this.#request(typeUrlOf(first), pairsOf(rest));
      case "ack":
      case "nack":
        return this.#answer(typeUrlOf(first), rest, verb === "nack");
      case "tick":
        this.#now += Number(first);
        return [];
      case "hold":
        this.#holds.set(first, rest.join(" "));
        return [];
      case "free":
        this.#holds.clear();
        this.#stream?.releaseHolds();
        return [];
      case "show":
        return this.#show();
      default:
        throw new Error(`unknown command: ${verb}`);
    }
  }

  #update(words: readonly string[]): void {
    this.#cache.update(this.#group, (transaction) => {
      for (const word of words) {
        const [, minus, type = "", name = "", , content = "", , references] =
          /^(-?)(\w+):([^@(]+)(@([^(]+))?(\((.*)\))?$/.exec(word) ?? [];
        if (minus) {
          transaction.delete(typeUrlOf(type), name);
          continue;
        }
        const keys = (references ?? "").split(",").filter((each) => each !== "");
        const [named = "", ...aliases] = name.split("~");
        const [label = "", ttl] = content.split("!");
        transaction.set({
          typeUrl: typeUrlOf(type),
          name: named,
          aliases,
          version: label,
          body: Buffer.from(label),
          addresses: label.split("%").slice(1),
          ...(ttl !== undefined && { ttlMs: Number(ttl) }),
          references: keys.map((key) => {
            const [, of = "", to = ""] = /^(\w+):(.*)$/.exec(key) ?? [];
            return { typeUrl: typeUrlOf(of), name: to };
          }),
        });
      }
    });
  }

  #open(variant: "sotw" | "delta", client: Pick<StreamSettings, "registry" | "takesPartly">): void {
    this.#variant = variant;
    const lost = lostAnswers(this.#stream?.states ?? new Map());
    this.#newest.clear();
    this.#byNumber.clear();
    this.#numbers.clear();
    this.#stream = new ProtocolStream({
      variant,
      ...client,
      aggregated: this.#aggregated,
      nonceTags: { own: "own-", shared: "shared-" },
      waitMs: 15_000,
      overtakeMs: 1000,
      settleMs: 1000,
      retry: { baseMs: 1000, maxMs: 300_000, spread: 0 },
      maxResponseBytes: 1_000_000,
      maxAbsent: 2000,
      honoursTtl: true,
    });
    for (const { typeUrl, name } of this.#memory.load(NODE)) this.#stream.remember(typeUrl, name);
    this.#stream.recall(lost);
    this.#stream.attach(this.#cache.served(this.#group));
  }

  #request(typeUrl: string, pairs: Pairs): string[] {
    const list = (key: string) => (pairs[key] ?? "").split(",").filter((each) => each !== "");
    const error = pairs["error"] === undefined ? undefined : { code: 13, message: pairs["error"] };
    const said = pairs["nonce"] ?? "";
    const nonce = this.#byNumber.get(said)?.nonce ?? said;
    if (this.#variant === "delta") {
      const initial = list("init").map((each) => each.split("@") as [string, string]);
      const lists = { subscribe: list("sub"), unsubscribe: list("unsub"), initialVersions: new Map(initial) };
      return this.#reports(this.#stream?.receiveDelta({ typeUrl, nonce, error, ...lists }, this.#now));
    }
    this.#clientNames.set(typeUrl, pairs["names"] ?? "");
    const versionInfo = this.#versionOf(pairs["version"] ?? "");
    return this.#reports(
      this.#stream?.receiveSotw({ typeUrl, versionInfo, nonce, error, names: list("names") }, this.#now),
    );
  }

  #answer(typeUrl: string, words: readonly string[], refuses: boolean): string[] {
    const explicit = words[0]?.startsWith("#") ? words[0] : undefined;
    const send = explicit === undefined ? this.#newest.get(typeUrl) : this.#byNumber.get(explicit);
    if (!send) throw new Error("there is no response to judge");
    const message = words.slice(explicit === undefined ? 0 : 1).join("_") || "bad";
    const accepted = refuses ? (this.#accepted.get(typeUrl) ?? "") : send.version;
    this.#accepted.set(typeUrl, accepted);
    return this.#request(typeUrl, {
      nonce: send.nonce,
      ...(refuses && { error: message }),
      ...(this.#variant === "sotw" && { names: this.#clientNames.get(typeUrl) ?? "", version: accepted }),
    });
  }

  #flush(): string[] {
    if (!this.#stream) return [];
    const { sends, reports } = this.#stream.flush(this.#now, ({ typeUrl, name }) =>
      this.#holds.get(`${shortOf(typeUrl).toLowerCase()}:${name}`),
    );
    return [...sends.map((send) => this.#describe(send)), ...this.#reports(reports)];
  }

  #describe(send: Send): string {
    this.#newest.set(send.typeUrl, send);
    if (this.#numbers.has(send.nonce)) throw new Error(`${send.nonce} is the nonce of an earlier response`);
    const number = `#${this.#numbers.size + 1}`;
    this.#numbers.set(send.nonce, number);
    this.#byNumber.set(number, send);
    const resources = send.resources.map(({ name, version }) => `${name}@${version}`);
    const removed = send.removed.map((name) => `-${name}`);
    const version = this.#variant === "sotw" ? [`version=${this.#labelOf(send.version)}`] : [];
    const heartbeat = send.heartbeat ? ["heartbeat"] : [];
    return ["<", shortOf(send.typeUrl), number, ...version, ...heartbeat, ...resources, ...removed].join(" ");
  }

  #reports(reports: readonly Report[] = []): string[] {
    return reports.flatMap((report) => {
      if (report.kind === "nack") {
        const names = [...report.refusal.items.keys()];
        this.#memory.record(NODE, { typeUrl: report.typeUrl, names, message: report.refusal.message });
        return [`! refused ${shortOf(report.typeUrl)} ${this.#numbers.get(report.refusal.nonce)} ${names.join(" ")}`];
      }
      if (report.kind === "ack")
        return [`! accepted ${shortOf(report.typeUrl)} ${this.#numbers.get(report.flight.nonce)}`];
      if (report.kind === "cleared") this.#memory.clear(NODE, report.typeUrl, report.names);
      if (report.kind !== "late") return [];
      const { resource, on, waitedMs } = report;
      return [
        `! late ${shortOf(resource.typeUrl)}:${resource.name} waited ${waitedMs} ms for ${shortOf(on.typeUrl)}:${on.name}`,
      ];
    });
  }

  #show(): string[] {
    const lines = [`= pending ${this.#stream?.oldestPending() ?? "nothing"}`];
    for (const state of this.#stream?.states.values() ?? []) {
      for (const [name, { reason }] of state.held)
        lines.push(`= held ${shortOf(state.type.typeUrl)}:${name} ${reason}`);
      for (const [name, { on }] of state.waits) {
        lines.push(`= waits ${shortOf(state.type.typeUrl)}:${name} for ${shortOf(on.typeUrl)}:${on.name}`);
      }
      for (const name of state.unknown) lines.push(`= unknown ${shortOf(state.type.typeUrl)}:${name}`);
    }
    return lines;
  }

  /** Short names for SotW versions, in the order in which they appear. */
  #labelOf(version: string): string {
    const label = this.#labels.get(version) ?? `v${this.#labels.size + 1}`;
    this.#labels.set(version, label);
    return label;
  }

  #versionOf(label: string): string {
    for (const [version, known] of this.#labels) if (known === label) return version;
    return label;
  }
}

function typeUrlOf(short: string): string {
  const type = REGISTRY.ordered.find(({ shortName }) => shortName === short.toUpperCase());
  return type?.typeUrl ?? short;
}

function shortOf(typeUrl: string): string {
  return REGISTRY.byTypeUrl.get(typeUrl)?.shortName ?? typeUrl;
}

function pairsOf(words: readonly string[]): Pairs {
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
}
