import { describe, expect, it } from "vitest";
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  ResourceCache,
  ServerCredentials,
  XdsServer,
} from "../../../src/xds/server/library.ts";
import { startBackend } from "../../support/backend.ts";
import { Authority, type KeyPair } from "../../support/certificates.ts";
import { startEnvoy } from "../../support/envoy.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/free-port.ts";
import { send, Traffic } from "../../support/traffic.ts";
import { adsBootstrap, type Bootstrap } from "./ads-bootstrap.ts";
import { MATRIX, startBench } from "./bench.ts";
import { clusterOf, endpointsOf, listenerOf, routeTo } from "./envoy-resources.ts";

const authority = new Authority();

/** The proxy's side of mutual TLS to the management server. */
function withCertificate(bootstrap: Bootstrap, { certificate, key }: KeyPair): object {
  const context = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    sni: "plane.test",
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { inline_string: certificate }, private_key: { inline_string: key } }],
      validation_context: {
        trusted_ca: { inline_string: authority.certificate },
        match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: "plane.test" } }],
      },
    },
  };
  const { clusters } = bootstrap.static_resources as { clusters: object[] };
  const transport_socket = { name: "envoy.transport_sockets.tls", typed_config: context };
  return { ...bootstrap, static_resources: { clusters: [{ ...clusters[0], transport_socket }] } };
}

describe.each(MATRIX)("Envoy $version over $protocol ADS", ({ version, protocol }) => {
  it("over mutual TLS is served what its certificate entitles it to, also large, and after its connection's age", async () => {
    await using backend = await startBackend("x");
    const [port, pair] = [await freePort(), authority.issue("DNS:plane.test")];
    const cache = new ResourceCache();
    cache.update("edge", (tx) => {
      tx.set(clusterOf("x"));
      tx.set(endpointsOf("x", backend.port));
      tx.set(listenerOf("l", port, "r"));
      tx.set(routeTo("r", "x"));
      // What takes many TLS records and several windows of HTTP/2.
      for (let index = 0; index < 100; index++) {
        tx.set(Object.assign(clusterOf(`idle-${index}`), { altStatName: "x".repeat(20_000) }));
      }
    });
    const server = new XdsServer({
      cache,
      groupOf: (_node, { names }) => (names.uris[0] === "spiffe://test/edge" ? "edge" : { refuse: "a stranger" }),
      limits: { maxConnectionAgeMs: 2000 },
    });
    const opened: string[] = [];
    server.on("open", ({ streamId }) => opened.push(streamId));
    const credentials = ServerCredentials.createSsl(
      Buffer.from(authority.certificate),
      [{ cert_chain: Buffer.from(pair.certificate), private_key: Buffer.from(pair.key) }],
      true,
    );
    const xds = await server.listen("127.0.0.1:0", credentials);
    const bootstrap = adsBootstrap({ xds, nodeId: "n1", cluster: "another", protocol });
    const own = authority.issue("URI:spiffe://test/edge");
    await using envoy = await startEnvoy({ bootstrap: withCertificate(bootstrap, own), version });
    const url = `http://127.0.0.1:${port}/`;
    await eventually(
      () => send({ url }),
      (answer) => answer.backend === "x",
      { what: "x answers" },
    );
    await using traffic = new Traffic({ url });
    await eventually(
      () => opened.length,
      (count) => count >= 3,
      { what: "its connection ended twice" },
    );
    await eventually(
      () => server.clients().map(({ oldestPending }) => oldestPending),
      (pending) => pending.length === 1 && pending[0] === undefined,
      { what: "it is settled" },
    );
    await traffic.more(20);
    expect(traffic.failures()).toEqual([]);
    const stats = await envoy.stats(/cluster_manager\.cluster_(modified|removed)|listener_modified/);
    expect([...stats.values()]).toEqual([0, 0, 0]);
    await server.stop({ graceMs: 100 });
  });

  it("xds R13, E12, E19: a proxy that limits its own requests, and so merges and delays them, gets all without a failed request", async () => {
    const limited = (bootstrap: Bootstrap): object => {
      const { ads_config, ...rest } = bootstrap.dynamic_resources;
      const rate_limit_settings = { max_tokens: 1, fill_rate: 4 };
      return { ...bootstrap, dynamic_resources: { ...rest, ads_config: { ...ads_config, rate_limit_settings } } };
    };
    await using bench = await startBench(
      version,
      protocol,
      async (each) => {
        const port = await each.backend("x");
        each.update((tx) => {
          tx.set(clusterOf("x"));
          tx.set(endpointsOf("x", port));
          tx.set(listenerOf("l", each.listenPort, "r"));
          tx.set(routeTo("r", "x"));
        });
      },
      limited,
    );
    await bench.answeredBy("x");
    await using traffic = new Traffic({ url: bench.url }, 1);
    let last = "x";
    for (const next of ["y", "z", "w"]) {
      const port = await bench.backend(next);
      bench.update((tx) => {
        tx.set(clusterOf(next));
        tx.set(endpointsOf(next, port));
        tx.set(routeTo("r", next));
        tx.delete(CLUSTER_TYPE, last);
        tx.delete(ENDPOINT_TYPE, last);
      });
      last = next;
    }
    await bench.answeredBy("w");
    await bench.settled();
    expect(traffic.failures()).toEqual([]);
    expect(bench.nacks).toEqual([]);
    expect(await bench.stat("control_plane.rate_limit_enforced")).toBeGreaterThan(0);
  });
});
