import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { bytes, type StoreFactory, type StoreUnderTest, text } from "./contract-store.ts";

/** What every `Peers` does; with one process to a store there is nobody to hear from. */
export function peersContract(name: string, factory: StoreFactory): void {
  describe(`${name} as peers`, () => {
    let store: StoreUnderTest;
    beforeAll(async () => {
      store = await factory.open();
    });
    afterAll(() => store?.dispose());

    const others = () => (store.other.peers === store.peers ? 0 : 1);

    it("tell where the others stand, and never list oneself", async () => {
      store.peers.announce(() => ({ revision: { epoch: 1, position: 5 }, digest: "d5" }));
      store.other.peers.announce(() => ({ revision: { epoch: 1, position: 7 } }));
      const heard = await eventually(
        () => store.peers.list(),
        (list) => list.length === others() && list.every(({ status }) => status === "live"),
        { what: "the others are heard" },
      );
      expect(heard.map(({ position }) => position.revision.position)).toEqual(others() === 1 ? [7] : []);
      let told = 0;
      const stop = store.peers.onChange(() => {
        told += 1;
      });
      store.other.peers.announce(() => ({ revision: { epoch: 1, position: 8 }, digest: "d8" }));
      await eventually(
        () => store.peers.list(),
        (list) => list.every(({ position }) => position.digest === "d8"),
        { what: "news is heard" },
      );
      expect(told).toBe(others());
      stop();
    });

    it("answer what they are asked, each for itself", async () => {
      const stop = store.other.peers.answer("echo", async (question) => bytes(`heard ${text(question)}`));
      const answers = await store.peers.ask("echo", bytes("hello"), { timeoutMs: 5_000 });
      expect(answers.map(({ answer }) => text(answer))).toEqual(others() === 1 ? ["heard hello"] : []);
      stop();
    });

    it("answer at any length, also with nothing", async () => {
      const stop = store.other.peers.answer("long", async (question) => new Uint8Array(Number(text(question))).fill(7));
      for (const length of [0, 1, 256 * 1024, 3_000_000]) {
        const answers = await store.peers.ask("long", bytes(String(length)), { timeoutMs: 5_000 });
        expect(answers.map(({ answer }) => answer?.length)).toEqual(others() === 1 ? [length] : []);
        expect(answers.every(({ answer }) => answer?.every((byte) => byte === 7))).toBe(true);
      }
      stop();
    });

    it("that do not answer, or cannot, are listed without an answer", async () => {
      const stop = store.other.peers.answer("broken", async () => {
        throw new Error("no");
      });
      for (const topic of ["broken", "unheard-of"]) {
        const answers = await store.peers.ask(topic, bytes("hello"), { timeoutMs: 300 });
        expect(answers.map(({ answer }) => answer)).toEqual(others() === 1 ? [undefined] : []);
      }
      stop();
    });
  });
}
