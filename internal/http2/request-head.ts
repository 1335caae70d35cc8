import { tooMuch } from './connection-error.ts';
import { parseGrpcTimeout } from './grpc-timeout.ts';
import { type FieldSink, MALFORMED, UNWANTED } from './hpack/decoder.ts';

/** What is made of the fields that open a call. Blocks that repeat share one: it is never changed. */
export interface RequestHead {
  /** What breaks RFC 9113 §8.2 or §8.3; undefined where nothing does. */
  readonly flaw: string | undefined;
  /** Whether the fields are there that a request cannot be without. */
  readonly isRequest: boolean;
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  /** `grpc-timeout`: undefined where there is none, NaN where it is none. */
  readonly timeoutMs: number | undefined;
  /** Bytes that the request says it has; undefined where it does not. */
  readonly contentLength: number | undefined;
  readonly traceparent: readonly string[];
  readonly tracestate: readonly string[];
  /** As header lists are counted (RFC 9113 §6.5.2). */
  readonly bytes: number;
  /** Whether it holds pseudo-header fields, which trailers must not. */
  readonly hasPseudo: boolean;
}

const SLOT = Object.freeze({
  method: 1,
  scheme: 2,
  path: 3,
  authority: 4,
  contentType: 5,
  grpcTimeout: 6,
  contentLength: 7,
  traceparent: 8,
  tracestate: 9,
  te: 10,
  connection: 11,
  unknownPseudo: 12,
  wrongName: 13,
});

const NEEDED = (1 << SLOT.method) | (1 << SLOT.scheme) | (1 << SLOT.path);

const SLOTS: ReadonlyMap<string, number> = new Map([
  [':method', SLOT.method],
  [':scheme', SLOT.scheme],
  [':path', SLOT.path],
  [':authority', SLOT.authority],
  ['content-type', SLOT.contentType],
  ['grpc-timeout', SLOT.grpcTimeout],
  ['content-length', SLOT.contentLength],
  ['traceparent', SLOT.traceparent],
  ['tracestate', SLOT.tracestate],
  ['te', SLOT.te],
  // What belongs to a connection of HTTP/1 (RFC 9113 §8.2.2).
  ['connection', SLOT.connection],
  ['proxy-connection', SLOT.connection],
  ['keep-alive', SLOT.connection],
  ['transfer-encoding', SLOT.connection],
  ['upgrade', SLOT.connection],
]);

/** RFC 9113 §8.2.1: no upper case, and what a field name of RFC 9110 is made of. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** A value that HTTP/1 would read as more than one, or that begins or ends with blanks. */
const WRONG_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
/** RFC 3986 §3.1. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const DIGITS = /^[0-9]{1,15}$/;
const WRONG = 'a field value holds what none may';
const NO_VALUES: readonly string[] = Object.freeze([]);

/**
 * Reads a header block field by field.
 *
 * @throws {ConnectionError} ENHANCE_YOUR_CALM where the fields come to more than any request's: it is not read any further
 */
export class RequestHeadReader implements FieldSink {
  readonly #mostBytes: number;
  #flaw: string | undefined = undefined;
  #seen = 0;
  #hasRegular = false;
  #method = '';
  #path = '';
  #contentType = '';
  #grpcTimeout: string | undefined = undefined;
  #contentLength: number | undefined = undefined;
  #traceparent: string[] | undefined = undefined;
  #tracestate: string[] | undefined = undefined;
  #bytes = 0;

  /** @param mostBytes as header lists are counted */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  slotOf(name: string): number {
    const slot = SLOTS.get(name);
    if (slot !== undefined) return slot;
    if (name.startsWith(':')) return SLOT.unknownPseudo;
    return FIELD_NAME.test(name) ? UNWANTED : SLOT.wrongName;
  }

  field(slot: number, value: string, size: number): void {
    this.#bytes += size;
    if (this.#bytes > this.#mostBytes)
      throw tooMuch('header_bytes', `The fields of a call come to more than ${this.#mostBytes} bytes`);
    if (slot === UNWANTED || slot === MALFORMED) {
      this.#hasRegular = true;
      if (slot === MALFORMED) this.#flaw ??= WRONG;
      return;
    }
    if (WRONG_VALUE.test(value)) this.#flaw ??= WRONG;
    if (slot <= SLOT.authority || slot === SLOT.unknownPseudo) this.#pseudo(slot, value);
    else this.#regular(slot, value);
  }

  /** What was read since the last time; the next block begins anew. */
  take(): RequestHead {
    const head: RequestHead = {
      flaw: this.#flaw,
      isRequest: (this.#seen & NEEDED) === NEEDED && this.#path !== '',
      method: this.#method,
      path: this.#path,
      contentType: this.#contentType,
      timeoutMs: this.#grpcTimeout === undefined ? undefined : (parseGrpcTimeout(this.#grpcTimeout) ?? Number.NaN),
      contentLength: this.#contentLength,
      traceparent: this.#traceparent ?? NO_VALUES,
      tracestate: this.#tracestate ?? NO_VALUES,
      bytes: this.#bytes,
      hasPseudo: this.#seen !== 0,
    };
    this.#flaw = undefined;
    this.#seen = 0;
    this.#hasRegular = false;
    this.#method = '';
    this.#path = '';
    this.#contentType = '';
    this.#grpcTimeout = undefined;
    this.#contentLength = undefined;
    this.#traceparent = undefined;
    this.#tracestate = undefined;
    this.#bytes = 0;
    return head;
  }

  #pseudo(slot: number, value: string): void {
    if (slot === SLOT.unknownPseudo) this.#flaw ??= 'a pseudo-header field is none of a request';
    if (this.#hasRegular) this.#flaw ??= 'a pseudo-header field comes behind others';
    if ((this.#seen & (1 << slot)) !== 0) this.#flaw ??= 'a pseudo-header field comes twice';
    this.#seen |= 1 << slot;
    if (slot === SLOT.scheme && !SCHEME.test(value)) this.#flaw ??= ':scheme is none';
    if (slot === SLOT.method) this.#method = value;
    if (slot === SLOT.path) this.#path = value;
  }

  #regular(slot: number, value: string): void {
    this.#hasRegular = true;
    switch (slot) {
      case SLOT.contentType:
        this.#contentType = joined(this.#contentType, value);
        break;
      case SLOT.grpcTimeout:
        this.#grpcTimeout = this.#grpcTimeout === undefined ? value : `${this.#grpcTimeout}, ${value}`;
        break;
      case SLOT.contentLength:
        this.#length(value);
        break;
      case SLOT.traceparent:
        this.#traceparent ??= [];
        this.#traceparent.push(value);
        break;
      case SLOT.tracestate:
        this.#tracestate ??= [];
        this.#tracestate.push(value);
        break;
      case SLOT.te:
        if (value !== 'trailers') this.#flaw ??= 'te is not "trailers"';
        break;
      case SLOT.connection:
        this.#flaw ??= 'a field belongs to a connection of HTTP/1';
        break;
      default:
        this.#flaw ??= 'a field name is none';
    }
  }

  #length(value: string): void {
    const length = DIGITS.test(value) ? Number(value) : undefined;
    if (length === undefined || this.#contentLength !== undefined) this.#flaw ??= 'content-length is no length';
    this.#contentLength = length;
  }
}

/** A field that comes twice means neither. */
const joined = (before: string, value: string): string => (before === '' ? value : `${before}, ${value}`);
