// The two gRPC doors side by side: the same bytes to both. What the native one lets through to a check, grpc-js does too,
// and both answer the same; where a request is as gRPC has it, both let it through.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { GrpcDoor } from '../../internal/extauthz/grpc-door.ts';
import { closeAll, portOf, startDoor, TRANSPORTS } from '../door/door-client.ts';
import { END_HEADERS, END_STREAM, FRAME_TYPES, field, frame, H2Client } from '../door/h2-client.ts';
import { chance } from './fuzzed-frames.ts';

after(closeAll);

type Field = readonly [name: string, value: string];
const CHECK = '/envoy.service.auth.v3.Authorization/Check';
const USUAL: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', CHECK],
  [':authority', 'door.example.org'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

interface Case {
  /** Whether it is as gRPC has it: then both have to take it. */
  readonly isRight: boolean;
  readonly frames: Buffer;
}

/** A call on stream 1 in one of very many forms. */
function aCase(next: () => number): Case {
  const below = (bound: number): number => next() % bound;
  const isHarmless = below(2) === 0;
  const message = Buffer.from(Array.from({ length: 1 + below(60) }, () => next() & 0xff));
  const prefix = Buffer.of(0, 0, 0, 0, message.length);
  let fields: readonly Field[] = USUAL;
  let body: Buffer = Buffer.concat([prefix, message]);
  let trailers: Buffer = Buffer.alloc(0);
  const wrong = isHarmless ? -1 : below(10);
  if (wrong === 0) body = Buffer.concat([Buffer.of(0, 0, 0, 0, below(256)), message]);
  if (wrong === 1) body = Buffer.concat([body, body.subarray(0, 1 + below(body.length))]);
  if (wrong === 2) body[below(5)] = next();
  if (wrong === 3) body = body.subarray(0, below(body.length));
  if (wrong === 4) fields = USUAL.map(([name, value]) => [name, name === 'content-type' ? `${value}x` : value]);
  if (wrong === 5) fields = without(USUAL, [0, 1, 2, 4, 5][below(5)]);
  if (wrong === 6) fields = [...USUAL, ['content-length', String(below(120))]];
  if (wrong === 7)
    fields = USUAL.map(([name, value]) => [name, name === ':path' ? value.slice(0, -1 - below(5)) : value]);
  if (wrong === 8) trailers = frame('HEADERS', END_HEADERS | END_STREAM, 1, field('x', '1'));
  if (wrong === 9) fields = [...USUAL, ['connection', 'close']];
  if (isHarmless && below(2) === 0) fields = [...USUAL, ['x-other', 'a'.repeat(below(300))], ['grpc-timeout', '50S']];
  if (isHarmless && below(2) === 0) fields = [...fields, ['content-length', String(body.length)]];
  const head = frame('HEADERS', END_HEADERS, 1, Buffer.concat(fields.map(([name, value]) => field(name, value))));
  const cut = below(3) === 0 ? below(body.length + 1) : 0;
  const first = cut === 0 ? Buffer.alloc(0) : frame('DATA', 0, 1, body.subarray(0, cut));
  const last = frame('DATA', trailers.length > 0 ? 0 : END_STREAM, 1, body.subarray(cut));
  return { isRight: isHarmless, frames: Buffer.concat([head, first, last, trailers]) };
}

/** `:authority` has no part in a call: Node insists on one, RFC 9113 and gRPC do not. */
const without = (fields: readonly Field[], at: number | undefined): readonly Field[] =>
  fields.filter((_, index) => index !== at);

/** What comes back: the answer's bytes, or that there is none. */
async function answerTo(door: GrpcDoor, frames: Buffer): Promise<string> {
  const raw = await H2Client.connect(portOf(door));
  raw.send(frames);
  let answer = 'none';
  for (;;) {
    const got = await raw.next(({ stream, type }) => stream === 1 || type === FRAME_TYPES.GOAWAY);
    if (got?.type === FRAME_TYPES.DATA && got.payload.length > 0) answer = got.payload.toString('hex');
    const isOver = got === undefined || got.type === FRAME_TYPES.RST_STREAM || got.type === FRAME_TYPES.GOAWAY;
    if (isOver || (got.flags & END_STREAM) !== 0) break;
  }
  raw.destroy();
  return answer;
}

describe('the two gRPC doors', () => {
  it('let the same through, and the native one nothing else', async (test) => {
    const asked = [0, 0];
    const [grpcJs, native] = await Promise.all(
      TRANSPORTS.map((transport, index) => {
        const check = (bytes: Uint8Array): Uint8Array => {
          asked[index] = (asked[index] ?? 0) + 1;
          return Buffer.concat([Buffer.from('checked '), bytes]);
        };
        return startDoor({ check }, transport);
      }),
    );
    assert.ok(grpcJs && native);
    const isChecked = (answer: string): boolean => answer.includes(Buffer.from('checked ').toString('hex'));
    const next = chance(4711);
    let stricter = 0;
    for (let i = 0; i < 500; i += 1) {
      const { isRight, frames } = aCase(next);
      const [one, other]: readonly [string, string] = await Promise.all([
        answerTo(grpcJs, frames),
        answerTo(native, frames),
      ]);
      const said = `${frames.toString('hex')}: grpc-js ${one}, native ${other}`;
      if (isRight) assert.ok(isChecked(one) && one === other, said);
      else if (isChecked(other)) assert.equal(one, other, said);
      else if (isChecked(one)) stricter += 1;
    }
    test.diagnostic(`asked ${asked.join(' and ')} times; the native one refused ${stricter} that grpc-js lets through`);
    await Promise.all([grpcJs.drain(1000), native.drain(1000)]);
  });
});
