import type { CertificateValidationContext } from "../../gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import type { CommonTlsContext } from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { type Finding, refused } from "./proxyless-problem.ts";

/**
 * What a proxyless client finds wrong with a transport socket. Certificates come from provider instances of its bootstrap,
 * never from SDS or the resource. The role `verifies` needs a provider of authorities, `presents` one of certificates.
 */
export function tlsProblems(
  name: string,
  context: { readonly commonTlsContext?: CommonTlsContext | undefined } | undefined,
  role: "verifies" | "presents",
): Finding[] {
  const tls = context?.commonTlsContext;
  if (name !== "envoy.transport_sockets.tls" || !tls) {
    return [refused("transport_socket", "transport_socket_unknown", "TLS is the only transport socket that is known.")];
  }
  const { validationContextType: validation } = tls;
  const ownSecret =
    tls.tlsCertificates.length > 0 ||
    tls.tlsCertificateSdsSecretConfigs.length > 0 ||
    validation.case === "validationContextSdsSecretConfig";
  const provider =
    role === "presents"
      ? tls.tlsCertificateProviderInstance
      : validationContextOf(validation)?.caCertificateProviderInstance;
  const found = unknownFields(tls).map((field) =>
    refused(`transport_socket.common_tls_context.${field}`, "tls_field_unknown", `gRPC does not know ${field}.`),
  );
  if (ownSecret || !provider) {
    const why =
      "Certificates and authorities must come from provider instances of the client's bootstrap, not from SDS or inline.";
    found.push(refused("transport_socket.common_tls_context", "certificate_provider_missing", why));
  }
  return found;
}

/** Fields that all libraries refuse, rather than verify less than they ask for. */
function unknownFields(tls: CommonTlsContext): string[] {
  const validation = validationContextOf(tls.validationContextType);
  const fields: [name: string, isSet: boolean][] = [
    ["tls_params", tls.tlsParams !== undefined],
    ["custom_handshaker", tls.customHandshaker !== undefined],
    ["verify_certificate_spki", (validation?.verifyCertificateSpki.length ?? 0) > 0],
    ["verify_certificate_hash", (validation?.verifyCertificateHash.length ?? 0) > 0],
    ["require_signed_certificate_timestamp", validation?.requireSignedCertificateTimestamp === true],
    ["crl", validation?.crl !== undefined],
    ["custom_validator_config", validation?.customValidatorConfig !== undefined],
  ];
  return fields.filter(([, isSet]) => isSet).map(([name]) => name);
}

function validationContextOf(
  validation: CommonTlsContext["validationContextType"],
): CertificateValidationContext | undefined {
  if (validation.case === "validationContext") return validation.value;
  return validation.case === "combinedValidationContext" ? validation.value.defaultValidationContext : undefined;
}
