/** Failures of ours that callers tell apart by `code`; built-in errors stay for programmer mistakes. */
export const ERROR_CODES = {
  ERR_POSTERN_CONFIG: 'A flag, variable or file of the configuration is wrong',
  ERR_POSTERN_FILE: 'A policy file cannot be read',
  ERR_POSTERN_KEYS_UNAVAILABLE: "An issuer's keys cannot be had",
  ERR_POSTERN_LISTEN: 'An address cannot be listened on',
  ERR_POSTERN_OUTBOUND_REFUSED: 'An outbound address is not allowed',
  ERR_POSTERN_TLS: 'A certificate or key cannot be used',
  ERR_POSTERN_WIRE: 'Bytes of a CheckRequest cannot be read',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error with a stable `code`; `message` is for operators and logs, never for clients. */
export class PosternError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PosternError';
    this.code = code;
  }
}
