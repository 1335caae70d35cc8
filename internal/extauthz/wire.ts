// The one place where protobuf becomes words of ours and back. Everything else deals in Attributes and Decisions.
export { type CheckRequest, readCheckRequest } from './read-check.ts';
export { type Sendable, sendable, writeCheckResponse, writeSendable } from './write-check.ts';
