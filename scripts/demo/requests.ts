import { Agent, get } from "node:http";

/** Sends requests, a few at a time, and counts who answered; errors are counted under their message. */
export async function countAnswers(url: string, count: number): Promise<ReadonlyMap<string, number>> {
  const answers = new Map<string, number>();
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const sent = Array.from({ length: count }, async () => {
    const who = await answerOf(url, agent);
    answers.set(who, (answers.get(who) ?? 0) + 1);
  });
  await Promise.all(sent);
  agent.destroy();
  return new Map([...answers].toSorted(([one], [other]) => one.localeCompare(other)));
}

function answerOf(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const request = get(url, { agent, timeout: 10_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => (body += text));
      response.on("end", () => resolve(response.statusCode === 200 ? body.trim() : `status ${response.statusCode}`));
    });
    request.once("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.once("error", (error) => resolve(error.message));
  });
}
