import type { SecretLookup } from '../phases/authn/consumers.ts';

/** In a sidecar class nobody reads Secrets: whoever runs a Pod would read them all. */
export const sidecarSecrets: SecretLookup = ({ name }) => ({
  reason: 'SecretsNotReadable',
  message: `Sidecars read no Secrets: write sha256, the digest of the key in the Secret "${name}", in place of secretRef`,
});
