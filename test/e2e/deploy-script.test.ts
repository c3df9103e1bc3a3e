import { execFile } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startPlane } from "../support/plane.ts";
import { tempFolder } from "../support/temp-folder.ts";

const main = join(import.meta.dirname, "../../bin/fairlead.js");
const run = promisify(execFile);

/** What a deploy does, as somebody would write it who goes by exit codes and reads JSON in Python. */
const SCRIPT = `
set -uo pipefail
fairlead() { "$NODE" "$MAIN" "$@"; }
told() { echo "$1: $?"; }
field() { python3 -c 'import json, sys
at = json.load(sys.stdin)
for key in sys.argv[1].split("."): at = at[key]
print(json.dumps(at))' "$1"; }

fairlead apply -f manifests --dry-run --detailed-exitcode > plan; told "a dry run with changes"
grep -q '! route shop .*there is no service cart' plan; told "the plan marks what would be wrong"
fairlead apply -f manifests --strict 2>/dev/null; told "strict"
fairlead apply -f manifests --owner shop-team --reason "first" > /dev/null; told "apply"
fairlead apply -f manifests --dry-run --detailed-exitcode > /dev/null; told "a dry run without changes"
fairlead get route shop -o yaml > route.yaml && fairlead apply -f route.yaml > /dev/null
fairlead get route shop -o json | field meta.owner
fairlead register cart/a --address 10.0.0.1:80 > /dev/null 2>&1; told "a service that is not there"
echo '{"kind": "Service", "name": "cart"}' | fairlead apply -f - --wait --allow-empty -o json | field wait.outcome
fairlead register cart/a --address 10.0.0.1:80 -o json | field backend.name
fairlead delete service nope -o json 2>/dev/null | field error.reason; told "a delete of nothing"
fairlead delete service nope --ignore-missing > /dev/null; told "a delete of nothing that is fine"
fairlead status --check > /dev/null; told "a service without backends"
fairlead delete service other --wait --allow-empty > /dev/null; told "delete"
fairlead status --check > /dev/null; told "a plane that is well"
fairlead upgrade --to-profile 2 --dry-run --detailed-exitcode > /dev/null; told "a dry run of another profile"
fairlead upgrade -o json | field encodingProfile
fairlead export all.yaml && fairlead import --replace all.yaml --wait --allow-empty -o json | field wait.outcome
fairlead backup all.backup > /dev/null && fairlead restore --replace all.backup --wait --allow-empty -o json | field wait.outcome
fairlead restore --replace all.backup --wait --data elsewhere 2> error; told "a wait where no plane is"
grep -q 'leave it out with --data' error && ls elsewhere 2> /dev/null; told "nothing is made there"
fairlead get services --frobnicate > /dev/null 2>&1; told "wrong usage"
kill -STOP "$PLANE"
began=$EPOCHREALTIME
fairlead --request-timeout 1s status > /dev/null 2>&1; told "a plane that hangs"
python3 -c "print('in time' if $EPOCHREALTIME - $began < 10 else 'late')"
kill -CONT "$PLANE"
`;

test("a deploy script can go by exit codes, and by one document of JSON for each command", async () => {
  await using plane = await startPlane();
  using folder = tempFolder();
  const manifests = join(folder.path, "manifests");
  await run("mkdir", [manifests]);
  writeFileSync(
    join(manifests, "shop.yaml"),
    [
      "kind: Fleet\nname: edge",
      "kind: Listener\nname: web\nfleet: edge\naddress: 127.0.0.1:10000",
      'kind: Route\nname: shop\nlisteners: [web]\nhosts: ["*"]\nrules: [{ to: [{ service: cart }] }]',
      "kind: Service\nname: other",
    ].join("\n---\n"),
  );
  symlinkSync("alice@desk.1:2", join(manifests, ".#shop.yaml"));
  const env = {
    ...process.env,
    NODE: process.execPath,
    MAIN: main,
    PLANE: String(plane.pid()),
    // The first of the replicas is gone.
    FAIRLEAD_SERVER: `127.0.0.1:1,${plane.addresses.admin}`,
  };
  const { stdout } = await run("bash", ["-c", SCRIPT], { cwd: folder.path, env });
  expect(stdout.trim().split("\n")).toEqual([
    "a dry run with changes: 10",
    "the plan marks what would be wrong: 0",
    "strict: 1",
    "apply: 0",
    "a dry run without changes: 0",
    '"shop-team"',
    "a service that is not there: 5",
    '"REACHED"',
    '"cart/a"',
    '"SERVICE_NOT_FOUND"',
    "a delete of nothing: 5",
    "a delete of nothing that is fine: 0",
    "a service without backends: 1",
    "delete: 0",
    "a plane that is well: 0",
    "a dry run of another profile: 10",
    "1",
    '"REACHED"',
    '"REACHED"',
    "a wait where no plane is: 2",
    "nothing is made there: 2",
    "wrong usage: 2",
    "a plane that hangs: 4",
    "in time",
  ]);
});
