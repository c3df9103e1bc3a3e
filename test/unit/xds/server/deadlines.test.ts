import { expect, test } from "vitest";
import { Deadlines, type Expiring } from "../../../../src/xds/server/deadlines.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

test("what is waited for expires after its time, once, and not when it has come", async () => {
  const clock = new FakeClock();
  const expired: string[] = [];
  let counted = 0;
  const deadlines = new Deadlines<Expiring>({ clock, ms: 100, onExpired: () => counted++ });
  const waiting = (name: string) => ({ expire: () => expired.push(name) });
  const [early, come, late] = [waiting("early"), waiting("come"), waiting("late")];
  deadlines.begin(early);
  deadlines.begin(come);
  await clock.advance(60);
  deadlines.begin(late);
  deadlines.begin(early);
  deadlines.end(come);
  await clock.advance(50);
  expect(expired).toEqual(["early"]);
  await clock.advance(60);
  expect(expired).toEqual(["early", "late"]);
  await clock.advance(1000);
  expect(counted).toBe(2);
});
