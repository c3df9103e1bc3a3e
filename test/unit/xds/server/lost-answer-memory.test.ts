import { describe, expect, it } from "vitest";
import type { LostAnswer } from "../../../../src/xds/protocol/lost-answers.ts";
import { LostAnswerMemory } from "../../../../src/xds/server/lost-answer-memory.ts";

const lost = (typeUrl: string, names: number): LostAnswer => ({
  typeUrl,
  version: "",
  items: Array.from({ length: names }, (_, index) => ({ name: `n${index}`, resource: undefined })),
});

describe("responses whose ACK or NACK was lost", () => {
  it("are told once, to a stream of their node and type", () => {
    const memory = new LostAnswerMemory();
    memory.keep("a", [lost("clusters", 1), lost("routes", 2)]);
    expect(memory.take("b", undefined)).toEqual([]);
    expect(memory.take("a", "routes")).toEqual([lost("routes", 2)]);
    memory.keep("a", [lost("routes", 3)]);
    expect(memory.take("a", undefined)).toEqual([lost("clusters", 1), lost("routes", 3)]);
    expect(memory.take("a", undefined)).toEqual([]);
  });

  it("take bounded memory: who left longest ago is forgotten", () => {
    const memory = new LostAnswerMemory();
    for (let node = 0; node < 50; node++) memory.keep(`n${node}`, [lost("clusters", 10_000)]);
    const known = Array.from({ length: 50 }, (_, node) => memory.take(`n${node}`, undefined).length);
    expect(known.reduce((sum, each) => sum + each)).toBe(20);
    expect(known.slice(30)).toEqual(new Array(20).fill(1));
  });

  it("are forgotten by their size, too: names can be long", () => {
    const memory = new LostAnswerMemory();
    const long = { typeUrl: "routes", version: "", items: [{ name: "n".repeat(16_384), resource: undefined }] };
    for (let node = 0; node < 3000; node++) memory.keep(`n${node}`, [long]);
    const known = Array.from({ length: 3000 }, (_, node) => memory.take(`n${node}`, undefined).length);
    expect(known.reduce((sum, each) => sum + each)).toBe(2048);
    expect(known.at(-1)).toBe(1);
  });

  it("are forgotten by the number of nodes", () => {
    const memory = new LostAnswerMemory();
    for (let node = 0; node <= 10_000; node++) memory.keep(`n${node}`, [lost("clusters", 1)]);
    expect(memory.take("n0", undefined)).toEqual([]);
    expect(memory.take("n1", undefined)).toHaveLength(1);
  });
});
