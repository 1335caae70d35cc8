import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import type { Decision } from '../../internal/core/decision.ts';
import { type CheckOptions, createCheckBytes, type DoorCall } from '../../internal/extauthz/check.ts';
import type { HttpDoor } from '../../internal/extauthz/http/http-door.ts';
import { encodeRequest } from '../../internal/extauthz/wire.fixture.ts';
import type { Checked } from '../../internal/policy/checked.ts';
import { NO_SPAN } from '../../internal/telemetry/tracing.ts';
import { httpPort, startChecks } from '../door/http-door-client.ts';
import { rawRequest } from '../envoy/harness-http1.ts';
import { type CaseRequest, type Instance, type Loaded, load } from './run-case.ts';

interface CaseFile {
  readonly about: string;
  readonly instance?: Instance;
  readonly objects: string;
  readonly cases: readonly Case[];
}

interface Case {
  readonly name: string;
  readonly apply?: string;
  readonly after?: number;
  readonly times?: number;
  readonly request?: CaseRequest;
  readonly expect: string | { readonly reason: string };
}

const CALL: DoorCall = { deadlineMs: undefined, isCancelled: () => false, metadata: undefined };
const CLIENT = '192.0.2.1';
/** Envoy passes on whatever a policy sets. */
class EveryName extends Set<string> {
  override has(): boolean {
    return true;
  }
}

/** What Envoy cannot tell over HTTP, whatever the case needs it for. */
const UNTELLABLE = ['context', 'routes', 'metadata', 'principal', 'tls', 'id'] as const;
/** Of what it can, what HTTP/1.1 has no way to write: Envoy would not have taken it from a client either. */
const UNWRITABLE = /[\p{Cc} \u0100-\uffff]/u;

/** Both doors of one file: what the engine behind each decided last. */
interface Doors {
  readonly grpc: { readonly loaded: Loaded; ask(request: CaseRequest): Promise<Decision> };
  readonly http: { readonly loaded: Loaded; ask(request: CaseRequest): Promise<Asked> };
  readonly door: HttpDoor;
}

interface Asked {
  readonly status: number;
  /** undefined: it never became a check. */
  readonly decision: Decision | undefined;
}

/** Where the address would be that of the connection, it is the one that Envoy appends. */
const behindEnvoy = (instance: Instance = {}): Instance =>
  (instance.clientAddress ?? 'direct') === 'direct' ? { ...instance, clientAddress: 'hops=1' } : instance;

function fieldsOf({ headers = {}, client = CLIENT, bodyMark }: CaseRequest, isDirect: boolean): Map<string, string> {
  const fields = new Map<string, string>();
  const add = (name: string, value: string): void => {
    const key = name.toLowerCase();
    fields.set(key, fields.has(key) ? `${fields.get(key)},${value}` : value);
  };
  for (const [name, values] of Object.entries(headers)) for (const value of [values].flat()) add(name, value);
  if (isDirect) add('x-forwarded-for', client);
  if (bodyMark !== undefined) fields.set('x-envoy-auth-partial-body', bodyMark);
  return fields;
}

async function doorsOf({ objects, instance }: CaseFile): Promise<Doors> {
  const isDirect = (instance?.clientAddress ?? 'direct') === 'direct';
  const [grpc, http] = [await load(objects, behindEnvoy(instance)), await load(objects, behindEnvoy(instance))];
  const told: { grpc: Decision | undefined; http: Decision | undefined } = { grpc: undefined, http: undefined };
  const options = (loaded: Loaded, which: 'grpc' | 'http'): CheckOptions => ({
    engine: loaded.engine,
    observer: {
      begin: () => ({ span: NO_SPAN, startMs: 0 }),
      finish(_observation: unknown, _attributes: unknown, { decision }: Checked) {
        told[which] = decision;
      },
    },
    maxWaiting: 10,
  });
  const check = createCheckBytes(options(grpc, 'grpc'));
  const door = await startChecks(options(http, 'http'), new EveryName(), { clock: http.clock });
  return {
    door,
    grpc: {
      loaded: grpc,
      async ask(request) {
        await check(encodeRequest(protoOf(request, fieldsOf(request, isDirect), grpc)), CALL);
        return told.grpc ?? assert.fail('no decision over gRPC');
      },
    },
    http: {
      loaded: http,
      async ask(request) {
        told.http = undefined;
        const { status } = await rawRequest(httpPort(door), bytesOf(request, fieldsOf(request, isDirect)));
        return { status, decision: told.http };
      },
    },
  };
}

function protoOf(request: CaseRequest, fields: ReadonlyMap<string, string>, { clock }: Loaded): object {
  const { method = 'GET', host = 'api.example.org', path = '/', body } = request;
  const time = { seconds: Math.floor(clock.wallMs() / 1000), nanos: (clock.wallMs() % 1000) * 1e6 };
  const size = body === undefined ? 0 : Buffer.byteLength(body);
  const http = { method, host, path, scheme: 'http', headers: Object.fromEntries(fields), size, ...(body && { body }) };
  return { attributes: { request: { time, http } } };
}

function bytesOf(request: CaseRequest, fields: ReadonlyMap<string, string>): Buffer {
  const { method = 'GET', host = 'api.example.org', path = '/', body = '' } = request;
  const length = ['content-length', String(Buffer.byteLength(body))];
  const lines = [['host', host], length, ...[...fields].filter(([name]) => name !== 'content-length')];
  const head = [`${method} /check/envoy${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${head.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`, 'utf8');
}

/** What the request that asks has of its own: the client's is not told, so that no body is of a type that is taken. */
const OF_MESSAGE: ReadonlySet<string> = new Set(['content-type', 'content-length', 'transfer-encoding']);

/** The case is about what only gRPC tells. */
function isOfMessage({ request: { headers = {} } = {}, expect }: Case): boolean {
  if (Object.keys(headers).some((name) => OF_MESSAGE.has(name.toLowerCase()))) return true;
  return typeof expect === 'object' && expect.reason === 'unsupported_media_type';
}

function isTellable({ request = {} }: Case): boolean {
  const { method = 'GET', host = '', path = '', headers = {} } = request;
  if (UNTELLABLE.some((member) => request[member] !== undefined)) return false;
  if (
    Object.values(headers)
      .flat()
      .some((value) => /\p{Cc}/u.test(value))
  )
    return false;
  return ![method, host, path].some((text) => UNWRITABLE.test(text));
}

/** Only a refusal where gRPC allows, and only for what the dialect cannot do or cannot know. */
function isStricter(asked: Decision, grpc: Decision, { request = {} }: Case): boolean {
  if (asked.outcome === 'allow') return false;
  if (asked.reason === 'edit_unsupported') return grpc.edits.queryToRemove.length > 0;
  return request.bodyMark === undefined && !['GET', 'HEAD', 'OPTIONS'].includes(request.method ?? 'GET');
}

const namesOf = (names: readonly string[]): readonly string[] => [...names].map((name) => name.toLowerCase()).sort();
const whatMatters = ({ outcome, reason, policy, refusal, findings, edits }: Decision): object => ({
  outcome,
  reason,
  policy: policy && `${policy.namespace}/${policy.name}`,
  refusal: refusal && { ...refusal },
  findings,
  removed: namesOf(
    edits.requestHeadersToRemove.filter((name) => !edits.requestHeaders.some((set) => set.name === name)),
  ),
  set: edits.requestHeaders.map(({ name }) => name),
  answer: edits.responseHeaders,
});

const FOLDER = import.meta.dirname;
const tally = { same: 0, asExpected: 0, stricter: 0, unasked: 0, untellable: 0 };

for (const file of readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .sort()) {
  const cases = parse(readFileSync(join(FOLDER, file), 'utf8')) as CaseFile;
  describe(`${file} over HTTP: ${cases.about}`, async () => {
    const doors = await doorsOf(cases);
    after(() => doors.door.drain(0));
    for (const test of cases.cases) {
      it(test.name, async () => {
        for (const { loaded } of [doors.grpc, doors.http]) {
          if (test.apply !== undefined) await loaded.apply(test.apply);
          loaded.clock.nowMs += test.after ?? 0;
        }
        if (isOfMessage(test)) return;
        if (!isTellable(test)) {
          tally.untellable += 1;
          return;
        }
        for (let i = 0; i < (test.times ?? 1); i += 1) {
          const grpc = await doors.grpc.ask(test.request ?? {});
          const { status, decision } = await doors.http.ask(test.request ?? {});
          if (decision === undefined) {
            assert.ok(status >= 400, `${status} without a check`);
            tally.unasked += 1;
            continue;
          }
          assert.equal(status === 200, decision.outcome === 'allow');
          if (isStricter(decision, grpc, test) && decision.reason !== grpc.reason) {
            tally.stricter += 1;
            continue;
          }
          assert.deepEqual(whatMatters(decision), whatMatters(grpc));
          tally.same += 1;
          const expected = typeof test.expect === 'string' ? test.expect : test.expect.reason;
          if (decision.reason === expected) tally.asExpected += 1;
        }
      });
    }
  });
}

describe('the cases over HTTP', () => {
  it('are nearly all told by it, and decided as they are over gRPC', () => {
    const { same, asExpected, stricter, unasked, untellable } = tally;
    assert.ok(same > 5 * (stricter + unasked + untellable), JSON.stringify(tally));
    // Two cases expect what only the joined or the split form of a header gives.
    assert.ok(same - asExpected < same / 20, JSON.stringify(tally));
  });
});
