import { describe, expect, test } from "vitest";
import { KINDS } from "../../../src/domain/name.ts";
import { descriptorOf } from "../../../src/schema/object-message.ts";
import { runAgainst } from "./fake-plane.ts";

/** No plane is asked: there is none that would answer. */
async function explain(...words: readonly string[]) {
  const { code, stdout, stderr } = await runAgainst({}, ["explain", ...words]);
  return { code, lines: stdout.split("\n").slice(0, -1), stderr };
}

describe("explain without a name", () => {
  test("tells of a field its type, meaning, default and range", async () => {
    expect(await explain("service.healthCheck.interval")).toEqual({
      code: 0,
      stderr: "",
      lines: [
        "service.healthCheck.interval: duration",
        "  From the start of one check to the start of the next. 100 ms to 1 h, default 5 s.",
        "  default  5s",
        "  range    100ms to 1h",
      ],
    });
    expect((await explain("backend.weight")).lines).toContain("  range    1 to 1000000");
    expect((await explain("route.hosts")).lines).toEqual([
      "route.hosts: list of text, required",
      expect.stringContaining("Host names, matched with or without a port"),
      "  entries  1 to 128",
      "  length   at most 253 characters",
      "  unique   no two entries are the same",
    ]);
    expect((await explain("policy.algorithm")).lines).toContainEqual(
      expect.stringMatching(/^ {2}value +`MAGLEV`: Consistent hashing with a Maglev table/),
    );
  });

  test("tells of a message its fields, which of them are required, and which only the plane writes", async () => {
    const { lines } = await explain("listener");
    expect(lines[0]).toBe("listener: Listener");
    expect(lines).toContainEqual(expect.stringMatching(/^fleet +text, required +The fleet whose proxies open/));
    expect(lines).toContainEqual(expect.stringMatching(/^conditions +list of Condition, read-only +Output only\.$/));
    expect((await explain("service.healthCheck")).lines).toContain("  one of  exactly one of http, tcp, grpc");
  });

  test.each(KINDS)("tells of every field of a %s", async (kind) => {
    const { code, lines } = await explain(kind);
    expect(code).toBe(0);
    const names = descriptorOf(kind).fields.map(({ jsonName }) => jsonName);
    const [, ...rows] = lines.slice(lines.findIndex((line) => line.startsWith("FIELD")));
    expect(rows.map((line) => line.split(" ")[0])).toEqual(names);
  });

  test("tells of all fields below by their paths, once for a message within itself", async () => {
    const { lines } = await explain("policy.hashOn", "--recursive");
    expect(lines.slice(lines.indexOf("FIELD           TYPE"))).toEqual([
      "FIELD           TYPE",
      "header          text",
      "cookie          Cookie",
      "cookie.name     text, required",
      "cookie.ttl      duration",
      "cookie.path     text",
      "sourceIp        true or false",
      "queryParameter  text",
      "all             list of HashKey",
    ]);
  });

  test("takes the short name of a kind, a field as the proto names it, and an element of a list", async () => {
    const { lines } = await explain("svc.health_check.http.path");
    expect(lines[0]).toBe("service.healthCheck.http.path: text");
    expect((await explain("rt.rules[0].to[].weight")).lines[0]).toBe("route.rules.to.weight: whole number");
  });

  test.each([
    ["service.helthCheck", 'service has no field "helthCheck"; did you mean "healthCheck"?'],
    ["service.policy.name", "service.policy has no fields"],
    ["servce.name", '"servce.name" cannot be explained'],
    ["service/shop --recursive", "--recursive is for the fields of a kind"],
    ["service shop --recursive", "--recursive is for the fields of a kind"],
  ])("refuses %s", async (words, message) => {
    const { code, stderr } = await explain(...words.split(" "));
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  test("is completed", async () => {
    const offered = async (typed: string) => (await runAgainst({}, ["__complete", "explain", typed])).stdout;
    expect(await offered("service.healthCheck.h")).toBe(
      "service.healthCheck.http\nservice.healthCheck.healthyThreshold\n",
    );
    expect(await offered("svc.pr")).toBe("svc.protocol\n");
    expect(await offered("nothing.")).toBe("");
  });
});
