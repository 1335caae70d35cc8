// Calls that are almost those of gRPC: their metadata, their prefix, and how they are cut into frames.

import { CHECK_PATH } from '../../door/door-client.ts';
import { END_HEADERS, END_STREAM, field, frame, uint32 } from '../../door/h2-client.ts';

type Field = readonly [name: string, value: string];
type Below = (bound: number) => number;

/** A call on a stream of its own. */
export interface CallForm {
  fields: Field[];
  /** Prefix and message, as DATA. */
  body: Buffer;
  /** Behind the body. */
  trailers: Field[] | undefined;
  /** How often DATA is cut. */
  cuts: number;
  /** Bytes of padding of every frame of DATA. */
  padding: number;
  /** What was changed, for whoever has to understand a difference. */
  readonly edits: EditName[];
}

const USUAL: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', CHECK_PATH],
  [':authority', 'door.example.org'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A call with this message that is changed in one way or two, or only in how it is cut. */
export function mutatedCall(message: Uint8Array, below: Below): CallForm {
  const form: CallForm = {
    fields: [...USUAL],
    body: framed(message),
    trailers: undefined,
    cuts: below(3) === 0 ? below(4) : 0,
    padding: below(6) === 0 ? below(20) : 0,
    edits: [],
  };
  for (let i = below(3); i > 0; i -= 1) {
    const name = pick(Object.keys(EDITS) as EditName[], below);
    EDITS[name](form, below);
    form.edits.push(name);
  }
  return form;
}

const pick = <T>(values: readonly T[], below: Below): T => values[below(values.length)] as T;
const set = (form: CallForm, name: string, value: string): void => {
  form.fields = form.fields.map(([key, before]) => [key, key === name ? value : before]);
};
const drop = (form: CallForm, name: string): void => {
  form.fields = form.fields.filter(([key]) => key !== name);
};

const CONTENT_TYPES = [
  'application/grpc+proto',
  'application/grpc+json',
  'application/grpc;charset=utf-8',
  'application/grpc-web',
  'application/grpcx',
  'application/GRPC',
  'application/json',
  'application/grpc ',
  '',
];
const TIMEOUTS = [
  '1S',
  '99999999H',
  '100m',
  '50000u',
  '1n',
  '0S',
  '-1S',
  '1',
  '123456789S',
  'S',
  '1.5S',
  ' 1S',
  '1s',
  '',
];
const ENCODINGS = ['gzip', 'identity', 'deflate', 'snappy', ''];
const MORE: readonly Field[] = [
  ['x-other', 'a'.repeat(200)],
  ['x-empty', ''],
  ['x-data-bin', 'AAEC'],
  ['x-data-bin', '!!'],
  ['grpc-accept-encoding', 'gzip, identity'],
  ['user-agent', 'Envoy/1.40'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['cookie', 'a=1'],
  ['connection', 'close'],
  ['transfer-encoding', 'chunked'],
  ['upgrade', 'h2c'],
  ['X-Upper', '1'],
  ['x y', '1'],
  ['', '1'],
  [':other', '1'],
  ['x-blank', ' 1'],
  ['x-line', 'a\nb'],
  ['x-nul', 'a\0b'],
  ['te', 'gzip'],
  ['host', 'other.example.org'],
];

const EDITS = {
  'content-type': (form: CallForm, below: Below) => set(form, 'content-type', pick(CONTENT_TYPES, below)),
  'no content-type': (form: CallForm) => drop(form, 'content-type'),
  te: (form: CallForm, below: Below) => set(form, 'te', pick(['gzip', 'trailers, gzip', 'Trailers', ''], below)),
  'no te': (form: CallForm) => drop(form, 'te'),
  method: (form: CallForm, below: Below) => set(form, ':method', pick(['GET', 'PUT', 'post', 'OPTIONS', ''], below)),
  scheme: (form: CallForm, below: Below) => set(form, ':scheme', pick(['https', 'HTTP', 'ftp', ''], below)),
  path: (form: CallForm, below: Below) => set(form, ':path', pick(PATHS, below)),
  authority: (form: CallForm, below: Below) => set(form, ':authority', pick(['', 'a b', 'x:1', 'é'], below)),
  'no pseudo field': (form: CallForm, below: Below) => drop(form, pick([':method', ':scheme', ':path'], below)),
  'no authority': (form: CallForm) => drop(form, ':authority'),
  'a field twice': (form: CallForm, below: Below) =>
    void form.fields.splice(below(form.fields.length + 1), 0, pick(form.fields, below)),
  'a field more': (form: CallForm, below: Below) => void form.fields.push(pick(MORE, below)),
  timeout: (form: CallForm, below: Below) => void form.fields.push(['grpc-timeout', pick(TIMEOUTS, below)]),
  encoding: (form: CallForm, below: Below) => void form.fields.push(['grpc-encoding', pick(ENCODINGS, below)]),
  'content-length': (form: CallForm) => void form.fields.push(['content-length', String(form.body.length)]),
  'wrong content-length': (form: CallForm, below: Below) =>
    void form.fields.push(['content-length', pick(LENGTHS, below)]),
  compressed: (form: CallForm) => void Buffer.of(1).copy(form.body),
  'wrong flag': (form: CallForm, below: Below) => void Buffer.of(2 + below(254)).copy(form.body),
  length: (form: CallForm, below: Below) =>
    void (form.body.length > 4 && uint32(pick(lengthsFor(form.body.length - 5), below)).copy(form.body, 1)),
  'a second message': (form: CallForm) => {
    form.body = Buffer.concat([form.body, form.body]);
  },
  'bytes behind the message': (form: CallForm, below: Below) => {
    form.body = Buffer.concat([form.body, Buffer.alloc(1 + below(6))]);
  },
  'cut off': (form: CallForm, below: Below) => {
    form.body = form.body.subarray(0, below(form.body.length));
  },
  'no body': (form: CallForm) => {
    form.body = Buffer.alloc(0);
  },
  'an empty message': (form: CallForm) => {
    form.body = Buffer.alloc(5);
  },
  trailers: (form: CallForm, below: Below) => {
    form.trailers = pick([[], [['x', '1']], [[':path', '/']]] as Field[][], below);
  },
} satisfies Readonly<Record<string, (form: CallForm, below: Below) => void>>;
export type EditName = keyof typeof EDITS;

const PATHS = [
  `${CHECK_PATH}/`,
  `${CHECK_PATH}x`,
  CHECK_PATH.toLowerCase(),
  `${CHECK_PATH}?a=1`,
  `/${CHECK_PATH}`,
  CHECK_PATH.slice(1),
  '/envoy.service.auth.v3.Authorization/Other',
  '/grpc.health.v1.Health/Nothing',
  '/',
  '*',
  '',
];
const LENGTHS = ['0', '1', '-1', '5', '99999', 'x', '1, 1', '', '0x10', '18446744073709551616'];
const lengthsFor = (length: number): readonly number[] => [
  0,
  Math.max(0, length - 1),
  length + 1,
  length + 1000,
  70_000,
  0x7fff_ffff,
  0xffff_ffff,
];

/** The frames of a call on stream 1. */
export function framesOf({ fields, body, trailers, cuts, padding }: CallForm, below: Below): Buffer {
  const block = (list: readonly Field[]): Buffer => Buffer.concat(list.map(([name, value]) => field(name, value)));
  const endsWith = trailers === undefined ? END_STREAM : 0;
  const isBodyless = body.length === 0 && below(2) === 0;
  const head = frame('HEADERS', END_HEADERS | (isBodyless ? endsWith : 0), 1, block(fields));
  const ends = Array.from({ length: cuts }, () => below(body.length + 1)).sort((a, b) => a - b);
  const pieces = [...ends, body.length].map((end, i) => body.subarray(i === 0 ? 0 : (ends[i - 1] ?? 0), end));
  const data = pieces.map((piece, i) => dataFrame(piece, i === pieces.length - 1 ? endsWith : 0, padding));
  const last = trailers === undefined ? [] : [frame('HEADERS', END_HEADERS | END_STREAM, 1, block(trailers))];
  return Buffer.concat([head, ...(isBodyless ? [] : data), ...last]);
}

const PADDED = 8;

const dataFrame = (piece: Buffer, flags: number, padding: number): Buffer =>
  padding === 0
    ? frame('DATA', flags, 1, piece)
    : frame('DATA', flags | PADDED, 1, Buffer.concat([Buffer.of(padding), piece, Buffer.alloc(padding)]));
