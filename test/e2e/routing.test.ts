import { describe, expect, test } from "vitest";
import { ENVOY_VERSIONS } from "../../scripts/components/envoy.ts";
import { type Backend, startBackend } from "../support/backend.ts";
import { backend, route, service } from "../support/manifest.ts";
import { startStack } from "../support/stack.ts";
import { type Answer, send, sendMany, tally } from "../support/traffic.ts";

const cases = [
  { envoyVersion: ENVOY_VERSIONS.newest, protocol: "delta" },
  { envoyVersion: ENVOY_VERSIONS.newest, protocol: "sotw" },
  { envoyVersion: ENVOY_VERSIONS.oldest, protocol: "delta" },
  { envoyVersion: ENVOY_VERSIONS.oldest, protocol: "sotw" },
] as const;

describe.each(cases)("Envoy $envoyVersion over $protocol", (options) => {
  test("requests go where host, path and headers lead them", async () => {
    await using shop = await startBackend("shop");
    await using api = await startBackend("api");
    await using beta = await startBackend("beta");
    await using admin = await startBackend("admin", { protocol: "http2" });
    await using stack = await startStack({
      ...options,
      objects: [
        ...["shop", "api", "beta"].map((name) => service(name)),
        service("admin", { protocol: "HTTP2" }),
        ...members({ shop, api, beta, admin }),
        route(
          "shop",
          [
            { to: [{ service: "shop" }] },
            { match: { path: { prefix: "/api" } }, to: [{ service: "api" }] },
            {
              match: { path: { prefix: "/api" }, headers: [{ name: "x-beta", exact: "yes" }] },
              to: [{ service: "beta" }],
            },
            { match: { path: { exact: "/gone" } }, to: [{ service: "nowhere" }] },
          ],
          { hosts: ["shop.example", "*.shop.example"] },
        ),
        route("admin", [{ to: [{ service: "admin" }] }], { hosts: ["admin.example"] }),
      ],
    });
    const ask = async (host: string, path: string, headers = {}) =>
      outcome(await send({ url: stack.url(path), host, headers }));

    expect({
      root: await ask("shop.example", "/"),
      hostWithPort: await ask(`shop.example:${stack.port}`, "/"),
      wildcardHost: await ask("eu.shop.example", "/"),
      prefix: await ask("shop.example", "/api"),
      below: await ask("shop.example", "/api/items?page=2"),
      notTheSegment: await ask("shop.example", "/apix"),
      header: await ask("shop.example", "/api/items", { "x-beta": "yes" }),
      otherHost: await ask("admin.example", "/api"),
      unknownHost: await ask("nobody.example", "/"),
      unknownService: await ask("shop.example", "/gone"),
    }).toEqual({
      root: "shop",
      hostWithPort: "shop",
      wildcardHost: "shop",
      prefix: "api",
      below: "api",
      notTheSegment: "shop",
      header: "beta",
      otherHost: "admin",
      unknownHost: 404,
      unknownService: 503,
    });
  });

  test("a changed route takes effect when the command that changes it returns", async () => {
    await using blue = await startBackend("blue");
    await using green = await startBackend("green");
    const to = (name: string) => route("shop", [{ to: [{ service: name }] }]);
    await using stack = await startStack({
      ...options,
      objects: [service("blue"), service("green"), ...members({ blue, green }), to("blue")],
    });
    expect(tally(await sendMany({ url: stack.url() }, 10))).toEqual({ blue: 10 });
    await stack.apply(to("green"));
    expect(tally(await sendMany({ url: stack.url() }, 10))).toEqual({ green: 10 });
  });
});

/** Each backend as the only member of the service of its name. */
function members(backends: Readonly<Record<string, Backend>>) {
  return Object.entries(backends).map(([name, { address }]) => backend(`${name}/${name}-1`, address));
}

function outcome({ backend: name, status, error }: Answer): string | number | undefined {
  return name ?? error ?? status;
}
