import { describe, expect, it } from "vitest";
import { PublicationLog } from "../../../src/fleet/publication-log.ts";

const at = (position: number) => ({ epoch: 1, position });

function logOf(...pairs: [position: number, publication: number][]): PublicationLog {
  const log = new PublicationLog();
  for (const [position, publication] of pairs) log.record({ revision: at(position), publication, at: position * 10 });
  return log;
}

describe("PublicationLog", () => {
  const log = logOf([5, 1], [6, 1], [8, 3]);

  it("knows the publication that holds a revision", () => {
    expect(log.publicationOf(at(5))).toBe(1);
    expect(log.publicationOf(at(6))).toBe(1);
    expect(log.publicationOf(at(7))).toBe(3);
    expect(log.publicationOf(at(8))).toBe(3);
  });

  it("tells how long the last stream that waited took, save for those that opened later", () => {
    const own = logOf([5, 1], [6, 1], [8, 3], [9, 4]);
    own.settle({ from: 1, to: 4, since: 0 }, 100);
    own.settle({ from: 1, to: 4, since: 70 }, 130);
    expect([5, 6, 8, 9].map((position) => own.settledAfter(at(position)))).toEqual([50, 40, 50, undefined]);
    own.settle({ from: 4, to: Number.POSITIVE_INFINITY, since: 0 }, 128);
    expect(own.settledAfter(at(9))).toBe(38);
    expect(own.settledAfter(at(10))).toBeUndefined();
  });

  it("knows no publication of a revision that is still to come", () => {
    expect(log.publicationOf(at(9))).toBeUndefined();
  });

  it("counts a revision older than all it remembers as the oldest", () => {
    expect(log.publicationOf(at(1))).toBe(1);
    expect(log.publicationBefore(at(1))).toBe(0);
  });

  it("tells what was published before a revision", () => {
    expect(log.publicationBefore(at(8))).toBe(1);
  });

  it("tells from which publication on something may be newer than a revision", () => {
    expect([4, 5, 6, 7, 8, 9].map((position) => log.publicationAfter(at(position)))).toEqual([1, 2, 2, 2, 4, 4]);
  });

  it("finds the newest revision that is settled with a publication", () => {
    expect(log.settledBy(0)).toBeUndefined();
    expect(log.settledBy(1)?.revision).toEqual(at(6));
    expect(log.settledBy(2)?.revision).toEqual(at(6));
    expect(log.settledBy(3)?.revision).toEqual(at(8));
  });

  it("finds the commit that a publication waits for", () => {
    expect(log.firstAt(1)?.revision).toEqual(at(5));
    expect(log.firstAt(2)?.revision).toEqual(at(8));
    expect(log.firstAt(4)).toBeUndefined();
  });
});
