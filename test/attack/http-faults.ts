import { connect, Socket } from 'node:net';
import type { Dialect } from '../../internal/extauthz/http/dialect.ts';
import { ENVOY } from '../../internal/extauthz/http/envoy-dialect.ts';
import type { CheckHttp } from '../../internal/extauthz/http/http-check.ts';
import { createHttpChecks } from '../../internal/extauthz/http/http-check.ts';
import { TRAEFIK } from '../../internal/extauthz/http/traefik-dialect.ts';
import { plainRefusal, writeAnswer } from '../../internal/extauthz/http/write-answer.ts';
import { aDecision } from '../../internal/extauthz/wire.fixture.ts';
import { sendable } from '../../internal/extauthz/wire.ts';
import { httpPort, startBareDoor, startChecks } from '../door/http-door-client.ts';
import { rawRequest } from '../envoy/harness-http1.ts';
import { AT_ONCE, EVERY, type FaultCase, failing, type Given } from './fault.ts';
import { aWorld, messageOf } from './fault-world.ts';

const WITHIN_MS = 1500;
const REFUSED = plainRefusal(418, 'the next one');
const GET = 'GET /check/traefik HTTP/1.1\r\nhost: a\r\n\r\n';

/** What a proxy is told that waits so long and no longer. */
async function told(port: number, bytes = GET): Promise<Given> {
  const late = AbortSignal.timeout(WITHIN_MS);
  const none = new Promise<'error'>((resolve) => late.addEventListener('abort', () => resolve('error')));
  const answer = rawRequest(port, bytes).then(
    ({ status }) => (status === 0 ? 'error' : { status }),
    () => 'error' as const,
  );
  return Promise.race([answer, none]);
}

/** Behind a real door: what the proxy is told, and whether the door then serves the next. */
async function over(check: CheckHttp): Promise<Given> {
  let isFirst = true;
  const once: CheckHttp = (message, call) => {
    if (!isFirst) return REFUSED;
    isFirst = false;
    return check(message, call);
  };
  const door = await startBareDoor({ checks: new Map([[TRAEFIK, once]]), onError: () => undefined });
  try {
    const answer = await told(httpPort(door));
    const next = await told(httpPort(door));
    if (next === 'error' || next instanceof Uint8Array || next.status !== REFUSED.status)
      throw new Error('The door does not serve after the fault');
    return answer;
  } finally {
    await door.drain(0);
  }
}

const NO_ANSWERS: Readonly<Record<string, () => unknown>> = {
  'answers an empty object': () => ({}),
  'answers an empty object later': async () => ({}),
  'answers nothing later': async () => undefined,
  'answers a text': () => 'allow',
  'answers without headers': () => ({ status: 200, body: '' }),
  'answers what no header holds': async () => ({ status: 200, headers: [['x-a', 'a\r\nb']], body: '' }),
};

const transports: FaultCase[] = [
  ...EVERY.map((fault): readonly [string, () => unknown] => [fault, failing(fault)]),
  ...Object.entries(NO_ANSWERS),
].map(([fault, check]) => ({
  at: 'transport over HTTP',
  fault,
  becomes: fault === 'hangs' ? 'error' : 500,
  run: () => over(check as CheckHttp),
}));

/** A dialect that fails at one of its parts, once the door has started. */
const dialects: FaultCase[] = (['read', 'timeoutMs', 'statusOf'] as const).flatMap((part) =>
  AT_ONCE.map((fault) => ({
    at: 'dialect',
    fault: `${fault} (${part})`,
    becomes: part === 'read' ? 400 : 500,
    async run() {
      const broken: { dialect: Dialect } = { dialect: TRAEFIK };
      const dialect: Dialect = {
        ...TRAEFIK,
        read: (message) => broken.dialect.read(message),
        timeoutMs: (message) => broken.dialect.timeoutMs(message),
        statusOf: (http) => broken.dialect.statusOf(http),
      };
      const checks = createHttpChecks((await aWorld()).options, new Set(), [dialect]);
      broken.dialect = { ...TRAEFIK, [part]: failing(fault) };
      const door = await startBareDoor({ checks, onError: () => undefined });
      const head = messageOf('wrong').lines.map(([name, value]) => `${name}: ${value}\r\n`);
      try {
        return await told(httpPort(door), GET.replace('\r\n\r\n', `\r\n${head.join('')}\r\n`));
      } finally {
        await door.drain(0);
      }
    },
  })),
);

/** A proxy that goes away in the middle of a body, or before the answer. */
const breaks: FaultCase[] = [
  ['breaks off in its body', 'POST /check/envoy/x HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf'],
  ['breaks off in its head', 'GET /check/envoy/x HTTP/1.1\r\nhost: a'],
].map(([fault = '', bytes = '']) => ({
  at: 'connection over HTTP',
  fault,
  becomes: 'error',
  async run() {
    let asked = 0;
    const check: CheckHttp = () => {
      asked += 1;
      return REFUSED;
    };
    const door = await startBareDoor({ checks: new Map([[ENVOY, check]]), onError: () => undefined });
    try {
      const socket = connect(httpPort(door), '127.0.0.1');
      socket.end(bytes);
      const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
      socket.on('error', () => undefined).resume();
      await closed;
      return asked === 0 ? 'error' : new Uint8Array();
    } finally {
      await door.drain(0);
    }
  },
}));

/** A caller that goes away while its check waits: it is counted, and the next one is served. */
const gone: FaultCase = {
  at: 'connection over HTTP',
  fault: 'closes while its check waits',
  becomes: 503,
  async run() {
    const socket = new Socket();
    const finished = Promise.withResolvers<Given>();
    const world = await aWorld({
      checkTimeoutMs: 5000,
      keys: {
        current: () => undefined,
        fetch() {
          socket.destroy();
          return new Promise<never>(() => undefined);
        },
      },
      observer: {
        begin: () => ({
          span: { startPhase() {}, endPhase() {}, end() {}, isSampled: false, traceId: undefined },
          startMs: 0,
        }),
        finish: (_observation, _request, { decision }) => finished.resolve(writeAnswer(sendable(decision), TRAEFIK)),
      },
    });
    const door = await startChecks(world.options, new Set());
    const head = messageOf('token').lines.map(([name, value]) => `${name}: ${value}\r\n`);
    socket.connect(httpPort(door), '127.0.0.1');
    try {
      socket.write(GET.replace('\r\n\r\n', `\r\n${head.join('')}\r\n`));
      return await finished.promise;
    } finally {
      await door.drain(0);
    }
  },
};

/** An encoder that is given what contradicts itself. */
const encoders: FaultCase[] = (['not_allowed', 'internal', 'no_snapshot'] as const).map((reason) => ({
  at: 'encoder',
  fault: `an allow for ${reason} over HTTP`,
  becomes: 500,
  run: async () => writeAnswer(sendable(aDecision(reason, { outcome: 'allow' })), TRAEFIK),
}));

export const HTTP_FAULTS: readonly FaultCase[] = [...transports, ...dialects, ...breaks, gone, ...encoders];
