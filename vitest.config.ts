import { defineConfig } from "vitest/config";

/** One project per level of test; `npm test` runs them from the cheapest to the dearest. */
const level = (name: string, include: string[], timeoutMs: number, parallel = true) => ({
  test: {
    name,
    include,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    expect: { poll: { timeout: timeoutMs / 2 } },
    fileParallelism: parallel,
    setupFiles: ["test/support/show-logs-of-failed-tests.ts"],
  },
});

export default defineConfig({
  test: {
    projects: [
      level(
        "unit",
        [
          "test/unit/**/*.test.ts",
          "test/property/**/*.test.ts",
          "test/golden/**/*.test.ts",
          "test/architecture/**/*.test.ts",
        ],
        20_000,
      ),
      level("contract", ["test/contract/**/*.test.ts"], 120_000),
      level("protocol", ["test/protocol/**/*.test.ts"], 60_000),
      level("fuzz", ["test/fuzz/**/*.fuzz.test.ts"], 120_000, false),
      level("e2e", ["test/e2e/**/*.test.ts"], 120_000, false),
      level("faults", ["test/faults/**/*.test.ts"], 300_000, false),
      level("containers", ["test/containers/**/*.test.ts"], 600_000, false),
    ],
  },
});
