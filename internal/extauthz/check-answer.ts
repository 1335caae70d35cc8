/**
 * Whether a check has answered. It neither throws nor rejects, and never answers nothing; should it do so all the same,
 * Envoy gets an error: an empty message would let the request pass.
 */
export const isAnswer = (bytes: unknown): bytes is Uint8Array => bytes instanceof Uint8Array && bytes.length > 0;
