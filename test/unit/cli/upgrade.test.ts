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

it("shows in a dry run whom another profile reaches, and says when it is in force already", async () => {
  const reach = [{ fleet: "edge", proxies: 2, types: [{ type: "EDS", changed: 3, bytes: 300n }] }];
  const upgrade = (answer: object, ...flags: readonly string[]) =>
    runAgainst({ SetEncodingProfile: () => answer }, ["upgrade", "--to-profile", "2", ...flags]);
  const dry = await upgrade({ previousProfile: 1, reach }, "--dry-run", "--wait");
  expect(dry.stdout).toBe(
    "  encoding profile 1 → 2  dry run: nothing was changed\n  Reaches 2 proxies of fleet edge: 3 endpoint sets; 300 bytes each.\n",
  );
  expect((await upgrade({ previousProfile: 2 })).stdout).toBe("  encoding profile 2: no change\n");
  expect((await upgrade({ previousProfile: 2 }, "--dry-run", "--detailed-exitcode")).code).toBe(0);
});

it("names silent replicas where their proxies are missing", async () => {
  const silent = { seconds: 12n };
  const answer = { nodes: [], unknownReplicas: [{ replica: "plane-b", silent }] };
  const { stderr } = await runAgainst({ ListNodes: () => answer }, ["nodes"]);
  expect(stderr).toContain("replica plane-b has been silent for 12 s: its proxies are not listed");
});
