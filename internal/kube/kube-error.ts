/** An answer of the API server that is no success, or none at all. */
export class KubeError extends Error {
  /** The HTTP status; 0 when there was no answer, or one that cannot be read. */
  readonly status: number;
  /** How long the server asks to be left alone (`Retry-After`). */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, message: string, options?: { readonly cause?: unknown; readonly retryAfterMs?: number }) {
    super(message, options);
    this.name = 'KubeError';
    this.status = status;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** Something came that cannot be read. What it was is lost, so a watch may not go on behind it. */
export class GarbledError extends KubeError {
  constructor(message: string, cause?: unknown) {
    super(0, message, { cause });
    this.name = 'GarbledError';
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is it running, and is this the right cluster?',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'its name does not resolve now',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ECONNRESET: 'it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'it did not accept a connection in time',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not signed by the certificate-authority of the configuration',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by the certificate-authority of the configuration',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by the certificate-authority of the configuration',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** What kept an answer from coming, with the address that was asked and what to look at. */
export function unreachable(server: string, error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const code = (error as { readonly code?: unknown } | null)?.code;
  const advice = typeof code === 'string' && Object.hasOwn(ADVICE, code) ? ADVICE[code] : undefined;
  const why = advice ?? reasonOf(error);
  return new KubeError(0, `Cannot reach the API server at ${server}: ${why}`, { cause: error });
}

/** The API server's status, 0 without an answer; undefined where it is no matter of the API server. */
export const statusOf = (error: unknown): number | undefined => (error instanceof KubeError ? error.status : undefined);

/**
 * Whether whatever is asked for would fail so: nobody answers, or the caller or the server as a whole is at fault. What is
 * said of it and how soon it is tried again go by this alone.
 */
export const isOutage = (status: number | undefined): boolean =>
  status !== undefined && (status === 0 || status === 401 || status === 429 || status >= 500);

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
