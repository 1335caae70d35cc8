import { refusalFrame, STATUS, trailersFrame } from './grpc-status.ts';
import { encodeBlock } from './hpack/encoder.ts';
import { headersFrame } from './settings.ts';

const refusal = (code: number, message: string): Buffer => refusalFrame({ code, message });

/** Answers of the door itself, made once. */
export const REFUSED = Object.freeze({
  unknownMethod: refusal(STATUS.unimplemented, 'unknown method'),
  wrongTimeout: refusal(STATUS.internal, 'grpc-timeout is no timeout: write at most 8 digits and one of H M S m u n'),
  compressed: refusal(STATUS.unimplemented, 'compressed messages are not taken: send grpc-encoding identity'),
  wrongPrefix: refusal(STATUS.internal, 'the message begins with neither 0 nor 1'),
  tooLarge: refusal(STATUS.resourceExhausted, 'the message is larger than it may be'),
  secondMessage: refusal(STATUS.unimplemented, 'more than one message in a call that takes one'),
  noMessage: refusal(STATUS.unimplemented, 'no message in a call that takes one'),
  cutOff: refusal(STATUS.internal, 'the message ends before its length'),
  trailers: refusal(STATUS.internal, 'trailers behind a request'),
  buffered: refusal(STATUS.resourceExhausted, 'the connection has too many messages that are not whole or wait'),
  bufferedTotal: refusal(STATUS.resourceExhausted, 'all connections have too many messages that are not whole or wait'),
  headers: refusal(STATUS.resourceExhausted, 'the fields of the call are larger than they may be'),
  slow: refusal(STATUS.deadlineExceeded, 'the message did not come in time'),
  late: refusal(STATUS.deadlineExceeded, 'no answer in time'),
  internal: refusal(STATUS.internal, 'internal'),
});

/** Ends an answer that went wrong behind its head. */
export const ABORTED: Buffer = trailersFrame({ code: STATUS.internal, message: 'internal' });

/** An answer of plain HTTP for who does not speak gRPC. */
export interface PlainAnswer {
  readonly head: Buffer;
  readonly body: Buffer;
}

function plain(status: string, text: string, more: readonly (readonly [string, string])[]): PlainAnswer {
  const body = Buffer.from(text);
  const fields = [[':status', status], ['content-type', 'text/plain'], ...more] as const;
  return { head: headersFrame(encodeBlock([...fields, ['content-length', String(body.length)]]), false), body };
}

export const PLAIN = Object.freeze({
  contentType: plain('415', 'This is a gRPC server: send content-type application/grpc\n', [
    ['accept-post', 'application/grpc'],
  ]),
  method: plain('405', 'This is a gRPC server: send POST\n', [['allow', 'POST']]),
});
