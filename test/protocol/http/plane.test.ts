import { connect, type Socket } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startPlane } from "../../support/plane.ts";

test("however many connect to the other ports, /healthz answers, and the plane goes on", async () => {
  await using plane = await startPlane({ enter: ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh"] });
  const ports = [plane.addresses.admin, plane.addresses.xds].map((address) => Number(address.split(":").at(-1)));
  const sockets = await Promise.all(
    Array.from({ length: 600 }, (_, i) => {
      const socket = connect(ports[i % 2] ?? 0, "127.0.0.1").on("error", () => undefined);
      return new Promise<Socket>((resolve) => socket.once("connect", () => resolve(socket)));
    }),
  );
  for (let i = 0; i < 5; i++) {
    const answer = await fetch(`http://${plane.addresses.http}/healthz`);
    expect(await answer.text()).toBe("ok\n");
  }
  expect((await fetch(`http://${plane.addresses.http}/readyz`)).status).toBe(200);
  const status = await plane.mustCli("status");
  expect(status).not.toContain("descriptor");
  for (const socket of sockets) socket.destroy();
}, 60_000);

test("every series that is known is there from the start, and those of a deleted fleet and service go", async () => {
  await using plane = await startPlane();
  const series = async (of: string) => {
    const text = await (await fetch(`http://${plane.addresses.http}/metrics`)).text();
    return text.split("\n").filter((line) => line.startsWith(of) && !line.startsWith("#"));
  };
  for (const of of ["sent", "acks", "nacks"]) {
    const name = of === "sent" ? "fairlead_xds_responses_sent_total" : `fairlead_xds_${of}_total`;
    expect(await series(name)).toEqual(expect.arrayContaining([`${name}{type="CDS"} 0`, `${name}{type="other"} 0`]));
  }
  expect(await series("fairlead_xds_ack_seconds_count")).toContain('fairlead_xds_ack_seconds_count{type="EDS"} 0');
  expect(await series("fairlead_store_seconds_count")).toContain('fairlead_store_seconds_count{operation="history"} 0');
  const proxies = (...fleets: string[]) =>
    fleets.flatMap((fleet) =>
      ["connected", "lagging", "refusing", "gone"].map(
        (state) => `fairlead_proxies{fleet="${fleet}",state="${state}"} 0`,
      ),
    );
  // What is so now is counted at most ten times a second.
  const shows = (name: string, expected: string[]) =>
    eventually(
      () => series(name),
      (found) => isDeepStrictEqual(found, expected),
      { what: `the series of ${name}` },
    );
  await shows("fairlead_proxies", proxies(""));
  await plane.mustApply(`kind: Fleet
name: edge
---
kind: Service
name: shop
healthCheck: { tcp: {} }
`);
  await shows("fairlead_proxies", proxies("", "edge"));
  await plane.mustApply("kind: Fleet\nname: edge\nexpected: 0\n");
  const expected = 'fairlead_proxies{fleet="edge",state="expected"} 0';
  await shows("fairlead_proxies", proxies("", "edge").toSpliced(-1, 0, expected));
  const backends = ["active", "degraded", "draining", "pending", "unhealthy", "duplicate-address"];
  await shows(
    "fairlead_backends",
    backends.map((state) => `fairlead_backends{service="shop",state="${state}"} 0`),
  );
  expect(await series("fairlead_health_checks_total")).toHaveLength(3);
  await plane.mustCli("delete", "fleet", "edge");
  await plane.mustCli("delete", "service", "shop");
  await shows("fairlead_proxies", proxies(""));
  await shows("fairlead_backends", []);
  expect(await series("fairlead_health_checks_total")).toEqual([]);
}, 60_000);
