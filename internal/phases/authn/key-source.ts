import type { JWK } from 'jose';

/** The signing keys of one issuer at one moment. */
export interface KeySet {
  /** By RFC 7638 thumbprint. */
  readonly keys: ReadonlyMap<string, JWK>;
  /** Counts up whenever the keys change. */
  readonly version: number;
}

/** Where the keys of an issuer come from: the port of token verification. */
export interface KeySource {
  /** The keys to verify with now, last good ones while the issuer is down; undefined when there are none. Starts a refresh in the background where one is due. */
  current(): KeySet | undefined;
  /**
   * Waits for keys: the first ones, or newer ones for a `kid` that is not known. One fetch serves all who wait.
   *
   * @throws {PosternError} ERR_POSTERN_KEYS_UNAVAILABLE while there are none to be had
   */
  fetch(): Promise<KeySet>;
}
