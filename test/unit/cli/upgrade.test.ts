import { expect, it } from "vitest";
import { runAgainst } from "./fake-plane.ts";

const replicas = [
  { name: "plane-a", live: true, encodingProfiles: [1, 2] },
  { name: "plane-b", live: false, encodingProfiles: [1] },
];

it("shows how resources are encoded, and what each replica supports", async () => {
  const { stdout } = await runAgainst({ GetStatus: () => ({ encodingProfile: 1, replicas }) }, ["upgrade"]);
  expect(stdout).toContain("encoding profile 1");
  expect(stdout).toMatch(/plane-a\s+1, 2/);
  expect(stdout).toMatch(/plane-b\s+silent/);
});

it("switches to another profile", async () => {
  const { stdout, calls } = await runAgainst({ SetEncodingProfile: () => ({ revision: "1.9" }) }, [
    "upgrade",
    "--to-profile",
    "2",
  ]);
  expect(stdout).toContain("encoding profile 2  revision 1.9");
  expect(calls).toMatchObject([{ method: "SetEncodingProfile", request: { profile: 2 } }]);
});

it("names silent replicas where their proxies are missing", async () => {
  const silent = { seconds: 12n };
  const answer = { nodes: [], unknownReplicas: [{ replica: "plane-b", silent }] };
  const { stderr } = await runAgainst({ ListNodes: () => answer }, ["nodes"]);
  expect(stderr).toContain("replica plane-b has been silent for 12 s: its proxies are not listed");
});
