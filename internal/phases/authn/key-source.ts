import type { KeyObject } from 'node:crypto';

/** One key that may verify signatures, with what its publisher says it is for. */
export interface VerificationKey {
  /** Digest over the key, its `kid` and its `alg`: what a key verified ends when exactly this entry goes. */
  readonly id: string;
  readonly kid: string | undefined;
  /** The only algorithm it is for; undefined when the publisher does not say. */
  readonly alg: string | undefined;
  readonly type: 'RSA' | 'EC' | 'OKP' | 'oct';
  /** JWK `crv`, e.g. `P-256`; undefined for RSA and oct. */
  readonly curve: string | undefined;
  readonly key: KeyObject;
}

/** The signing keys of one issuer at one moment; a new object whenever they change. */
export interface KeySet {
  readonly keys: readonly VerificationKey[];
  readonly ids: ReadonlySet<string>;
}

/** Where the keys of an issuer come from: the port of token verification. */
export interface KeySource {
  /**
   * The keys to verify with now; last good ones while the issuer is down. Starts a refresh in the background where one
   * is due.
   *
   * @returns undefined when there are none, or only ones that nobody asked about for so long that they must be asked first
   */
  current(): KeySet | undefined;
  /**
   * Waits for keys: the first ones, or newer ones for a `kid` that is not known. One fetch serves all who wait.
   *
   * @throws {PosternError} ERR_POSTERN_KEYS_UNAVAILABLE while there are none to be had
   */
  fetch(): Promise<KeySet>;
}

/** How a policy gets at the keys of its issuers. A string says what is wrong with what the author wrote. */
export interface KeySources {
  /**
   * Keys found by discovery at the issuer.
   *
   * @param namespace of the policy: others' issuers are asked beside its own, however slow those are
   */
  byDiscovery(issuer: string, namespace: string): KeySource | string;
  byUrl(url: string, namespace: string): KeySource | string;
  /** @param text a JWK Set as JSON; symmetric keys in it count only with `allowsSymmetric` */
  inline(text: string, allowsSymmetric: boolean): KeySource | string;
}
