import { afterAll, beforeAll, test } from "vitest";
import { encodePosition } from "../../src/nats/peer-position.ts";
import { encodeQuestion } from "../../src/nats/peer-question.ts";
import { seal } from "../../src/nats/peer-seal.ts";
import { type NatsCluster, startNats } from "../support/nats.ts";
import { PeerForger } from "../support/peer-forger.ts";
import { type Attack, CAMPAIGN_TIMEOUT_MS, campaign } from "./campaign.ts";
import type { Chance } from "./chance.ts";
import { hostileText } from "./dictionary.ts";
import { type FuzzedPlane, startFuzzedPlane } from "./fuzzed-plane.ts";
import { mutateBytes } from "./mutate-bytes.ts";

let nats: NatsCluster;
let fuzzed: FuzzedPlane;
let forger: PeerForger;

beforeAll(async () => {
  nats = await startNats({ size: 1 });
  fuzzed = await startFuzzedPlane({ nats: nats.urls, replica: "plane-1" });
  forger = await PeerForger.open(nats.urls, "fairlead");
  await forger.record();
});

afterAll(async () => {
  await forger?.[Symbol.asyncDispose]();
  await fuzzed?.[Symbol.asyncDispose]();
  await nats?.stop();
});

const TOPICS = ["name", "proxies", "progress", "refusals", "farewell", "health-second-opinion", "stale-checks", "x"];

/** A write still succeeds: what ends the reader of a connection leaves the plane deaf for the answers of the store, too. */
async function stillWrites(chance: Chance): Promise<void> {
  await fuzzed.plane.mustApply(
    `kind: Service\nname: written-${chance.below(50)}\nlabels: {at: "${chance.below(1e9)}"}\n`,
  );
}

const noise: Attack = {
  name: "words that are no message of a replica, on all subjects",
  weight: 10,
  run: async (chance) => {
    const texts = ['{"replica":"z","instance":"i","since":1,"position":{}}', "no JSON", "", "null", "[]"];
    for (let i = 0; i < 20; i++) {
      const sender = chance.oneOf(["z", "plane-1", "plane-2"]);
      const subjects = [forger.positionSubject(sender), `fairlead.fairlead.position.${sender}`];
      for (const topic of TOPICS) subjects.push(forger.questionSubject("plane-1", topic));
      const said = chance.happens(50) ? chance.oneOf(texts) : chance.bytes(chance.oneOf([1, 40, 400, 100_000]));
      await forger.say(
        chance.oneOf(subjects),
        said,
        chance.oneOf([undefined, "_INBOX_fairlead.x", "$KV.fairlead.epoch"]),
      );
    }
    await stillWrites(chance);
  },
};

const sealed: Attack = {
  name: "words of somebody who can read the bucket",
  weight: 10,
  run: async (chance) => {
    const key = await forger.key();
    for (let i = 0; i < 20; i++) {
      const replica = chance.oneOf(["ghost", "plane-2", hostileText(chance).slice(0, 60)]);
      const sender = { replica, instance: `i-${chance.below(3)}`, since: chance.oneOf([1, 1e18]), sequence: i };
      const position = chance.happens(30) ? undefined : { revision: { epoch: 1, position: chance.oneOf([0, 5, 1e9]) } };
      const subject = forger.positionSubject(replica);
      const body = encodePosition({ sender, position });
      await forger.say(
        subject,
        seal(key, ["position", subject], chance.happens(50) ? mutateBytes(body, chance) : body),
      );
      const asked = forger.questionSubject("plane-1", chance.oneOf(TOPICS));
      const inbox = `_INBOX_fairlead.${i}`;
      const question = encodeQuestion({ sender, nonce: "nonce-1234", content: chance.bytes(chance.below(300)) });
      const bytes = chance.happens(50) ? mutateBytes(question, chance) : question;
      await forger.say(asked, seal(key, ["question", asked, inbox], bytes), inbox);
    }
    await stillWrites(chance);
  },
};

const recorded: Attack = {
  name: "what the plane itself said, once more and changed",
  weight: 5,
  run: async (chance) => {
    const heard = forger.heard.splice(0).slice(-30);
    for (const { subject, data, reply } of heard) {
      await forger.say(subject, chance.happens(50) ? data : mutateBytes(data, chance), reply);
    }
    await stillWrites(chance);
  },
};

const flood: Attack = {
  name: "a flood of words, as fast as the server passes them on",
  run: async (chance) => {
    const data = chance.bytes(chance.oneOf([0, 40, 400]));
    const subject = chance.oneOf([forger.positionSubject("z"), forger.questionSubject("plane-1", "name")]);
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 10_000; i++) forger.connection.publish(subject, data);
      await forger.connection.flush();
    }
    await stillWrites(chance);
  },
};

test(
  "no word of a stranger ends a plane, makes it deaf or keeps others waiting",
  async () => {
    await campaign(fuzzed, [noise, sealed, recorded, flood]);
    await fuzzed.memoryReturns();
  },
  CAMPAIGN_TIMEOUT_MS,
);
