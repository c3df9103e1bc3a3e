/** Builders of manifests for tests, as the objects that YAML would hold. */
import { stringify } from "yaml";

export type ManifestObject = Readonly<Record<string, unknown>> & { readonly kind: string; readonly name: string };

export const fleet = (name: string): ManifestObject => ({ kind: "Fleet", name });

export const service = (name: string, spec: object = {}): ManifestObject => ({ kind: "Service", name, ...spec });

export const policy = (name: string, spec: object): ManifestObject => ({ kind: "Policy", name, ...spec });

export const backend = (name: string, address: string, spec: object = {}): ManifestObject => ({
  kind: "Backend",
  name,
  address,
  ...spec,
});

export const listener = (name: string, port: number, spec: object = {}): ManifestObject => ({
  kind: "Listener",
  name,
  fleet: "edge",
  address: `127.0.0.1:${port}`,
  ...spec,
});

/** A route for every host on the listener `web`, unless `spec` says otherwise. */
export const route = (name: string, rules: readonly object[], spec: object = {}): ManifestObject => ({
  kind: "Route",
  name,
  listeners: ["web"],
  hosts: ["*"],
  rules,
  ...spec,
});

/** Leads every request to one service. */
export const routeTo = (serviceName: string): ManifestObject =>
  route(serviceName, [{ to: [{ service: serviceName }] }]);

export function manifest(...objects: readonly ManifestObject[]): string {
  return objects.map((object) => stringify(object)).join("---\n");
}
