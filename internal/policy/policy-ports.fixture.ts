import { MemoryStore } from '../counters/memory-store.ts';
import { createTokenCache } from '../phases/authn/jwt.ts';
import type { KeySource } from '../phases/authn/key-source.ts';
import { createRateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import type { PolicyPorts } from './compile-policy.ts';

const KEYS: KeySource = { current: () => undefined, fetch: () => Promise.reject(new Error('none')) };
/** Of an instance that knows all of its requests, whose issuers have no keys. */
export const PORTS: PolicyPorts = {
  keySources: { byDiscovery: () => KEYS, byUrl: () => KEYS, inline: () => KEYS },
  tokens: createTokenCache(),
  limits: createRateLimitPorts(new MemoryStore({ maxKeys: 10, onEvict: () => undefined })),
  knows: { clientAddress: true, transport: true, bodies: true },
};
