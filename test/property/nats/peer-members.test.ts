import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PeerMembers, POSITION } from "../../../src/nats/peer-members.ts";
import type { SaidPosition } from "../../../src/nats/peer-position.ts";
import { MAX_PEERS, PEER_MEMORY_MS, PEER_SILENCE_MS } from "../../../src/store/peers.ts";

const said = (replica: string, instance: string, sequence: number, position = sequence): SaidPosition => ({
  sender: { replica, instance, since: 1, sequence },
  position: { revision: { epoch: 1, position } },
});

interface Message {
  readonly replica: string;
  readonly instance: string;
  readonly sequence: number;
}

const messages = fc.array(
  fc.record<Message>({
    replica: fc.constantFrom("a", "b"),
    instance: fc.constantFrom("1", "2"),
    sequence: fc.integer({ min: 1, max: 20 }),
  }),
  { maxLength: 60 },
);

describe("the processes that were found to live", () => {
  it("are taken forward only, and by no other process than the one that was found", () => {
    fc.assert(
      fc.property(messages, (taken) => {
        const members = new PeerMembers();
        members.prove(said("a", "1", 5), 0);
        let newest = 5;
        for (const { replica, instance, sequence } of taken) {
          const message = said(replica, instance, sequence);
          const hearing = members.judge(message.sender, POSITION);
          const isItsOwn = replica === "a" && instance === "1";
          expect(hearing).toBe(!isItsOwn ? "unproven" : sequence > newest ? "fresh" : "replayed");
          if (hearing !== "fresh") continue;
          members.hear(message, 0);
          newest = sequence;
        }
        expect(members.list(0)).toMatchObject([{ replica: "a", position: { revision: { position: newest } } }]);
      }),
    );
  });

  it("are no more than there is room for; one that lives keeps its place, and the longest silent goes first", () => {
    const members = new PeerMembers();
    for (let i = 0; i < MAX_PEERS; i++) expect(members.prove(said(`r${i}`, "1", 1), i)).toBe(true);
    expect(members.prove(said("late", "1", 1), MAX_PEERS)).toBe(false);
    expect(members.prove(said("r3", "2", 1), MAX_PEERS)).toBe(true);
    const later = PEER_SILENCE_MS + 2;
    expect(members.prove(said("late", "1", 1), later)).toBe(true);
    const names = members.list(later).map(({ replica }) => replica);
    expect(names).toHaveLength(MAX_PEERS);
    expect(names).not.toContain("r0");
    expect(members.list(later + PEER_MEMORY_MS + 1)).toEqual([]);
  });

  it("each kind of message has an order of its own", () => {
    const members = new PeerMembers();
    members.prove(said("a", "1", 9), 0);
    const { sender } = said("a", "1", 3);
    expect(members.judge(sender, POSITION)).toBe("replayed");
    expect(members.judge(sender, "question x")).toBe("fresh");
    expect(members.judge(sender, "question x")).toBe("replayed");
    expect(members.judge(sender, "question y")).toBe("fresh");
  });
});
