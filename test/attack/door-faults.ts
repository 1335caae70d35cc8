import { systemClock } from '../../internal/core/clock.ts';
import type { CheckBytes } from '../../internal/extauthz/check.ts';
import { DoorClient, startDoor, TRANSPORTS, type Transport } from '../door/door-client.ts';
import { checkFrames, H2Client } from '../door/h2-client.ts';
import { EVERY, type Fault, type FaultCase, failing, type Outcome, put, readOutcome } from './fault.ts';
import { aWorld } from './fault-world.ts';

const HELLO = Buffer.from('hello');
const WITHIN_MS = 100;
const within = (): Date => new Date(systemClock.wallMs() + WITHIN_MS);

/** Behind a real door on a real connection: what the client is told, and whether the door then serves the next. */
async function over(transport: Transport, check: CheckBytes): Promise<Uint8Array | 'error'> {
  let isFirst = true;
  const givenOnce: CheckBytes = (bytes, call) => {
    if (!isFirst) return bytes;
    isFirst = false;
    return check(bytes, call);
  };
  const door = await startDoor({ check: givenOnce }, transport);
  const client = new DoorClient(door.address);
  try {
    const answer = await client.check(HELLO, { deadline: within() }).catch(() => 'error' as const);
    if (!HELLO.equals(await client.check(HELLO))) throw new Error('The door does not serve after the fault');
    return answer;
  } finally {
    client.close();
    await door.drain(0);
  }
}

const EMPTY: Readonly<Record<string, () => unknown>> = {
  'answers an empty message': () => new Uint8Array(),
  'answers an empty message later': async () => new Uint8Array(),
  'answers nothing later': async () => undefined,
  'answers a text': () => 'allow',
  'answers a text later': async () => 'allow',
};

/** Where a fault is put: the same for each door, by its name. */
const at = (what: string, transport: Transport): string => (transport === 'native' ? `${what}, native` : what);

const transports: FaultCase[] = TRANSPORTS.flatMap((transport) =>
  [...EVERY.map((fault): readonly [string, () => unknown] => [fault, failing(fault)]), ...Object.entries(EMPTY)].map(
    ([fault, check]): FaultCase => ({
      at: at('transport', transport),
      fault,
      becomes: 'error',
      run: () => over(transport, check as CheckBytes),
    }),
  ),
);

/** Checks that wait for a step that hangs, when the caller goes away or its own deadline comes first. */
const HANGING = { faults: ['hangs'] as const satisfies readonly Fault[], becomes: 503 as Outcome };
const callers: FaultCase[] = [
  ...put({
    at: 'admission',
    faults: ['throws', 'throws nothing'],
    asks: 'key',
    becomes: 500,
    parts: (fault) => ({ notNow: failing(fault) }),
  }),
  ...put({
    ...HANGING,
    at: "caller's deadline",
    asks: 'token',
    parts: () => ({
      checkTimeoutMs: 2000,
      call: { deadlineMs: systemClock.monotonicMs() + WITHIN_MS },
      keys: { current: () => undefined, fetch: failing('hangs') },
    }),
  }),
  ...put({
    ...HANGING,
    at: 'caller goes away',
    asks: 'token',
    parts: () => ({
      checkTimeoutMs: 2000,
      call: { onCancel: (listener: () => void) => queueMicrotask(listener) },
      keys: { current: () => undefined, fetch: failing('hangs') },
    }),
  }),
  ...(['isCancelled', 'onCancel'] as const).flatMap((member) =>
    put({
      at: 'signs of the caller',
      faults: ['throws', 'throws nothing'],
      asks: 'token',
      becomes: 500,
      parts: (fault) => ({ call: { [member]: failing(fault) }, keys: { current: () => undefined, fetch: later } }),
    }),
  ),
  ...TRANSPORTS.flatMap((transport): FaultCase[] => [
    { at: at('connection', transport), fault: 'closes', becomes: 'error', run: () => cutOff(transport, closed) },
    {
      at: at('connection', transport),
      fault: 'is cancelled',
      becomes: 'error',
      run: () => cutOff(transport, cancelled),
    },
  ]),
];

const later = async (): Promise<never> => {
  await Promise.resolve();
  throw new Error('injected');
};

/** Asks, and once the check waits, ends the call in one of two ways. */
type Cut = (address: string, bytes: Buffer, asked: Promise<void>) => Promise<Uint8Array | 'error'>;

const cancelled: Cut = async (address, bytes, asked) => {
  const client = new DoorClient(address);
  const sent = client.send(bytes, { deadline: within() });
  const answer = sent.answer.catch(() => 'error' as const);
  await asked;
  sent.call.cancel();
  client.close();
  return answer;
};

/** Nobody is there to read an answer: none at all is what must come. */
const closed: Cut = async (address, bytes, asked) => {
  const client = await H2Client.connect(Number(address.slice(address.lastIndexOf(':') + 1)));
  client.send(checkFrames(1, bytes));
  await asked;
  const answer = client.messageOf(1).catch(() => undefined);
  client.destroy();
  return (await answer) ?? 'error';
};

/** A call that is cut off while its check waits for a step that hangs; the next one is answered. */
async function cutOff(transport: Transport, cut: Cut): Promise<Uint8Array | 'error'> {
  const keys = { current: () => undefined, fetch: failing('hangs') };
  const hanging = await aWorld({ checkTimeoutMs: WITHIN_MS, keys });
  const asked = Promise.withResolvers<void>();
  const check: CheckBytes = (bytes, call) => {
    const answer = hanging.check(bytes, call);
    asked.resolve();
    return answer;
  };
  const door = await startDoor({ check }, transport);
  const next = new DoorClient(door.address);
  try {
    const answer = await cut(door.address, hanging.bytes('token'), asked.promise);
    if (readOutcome(await next.check(hanging.bytes('wrong'))) !== 401)
      throw new Error('The door does not serve after the cut');
    return answer;
  } finally {
    next.close();
    await door.drain(0);
  }
}

export const DOOR_FAULTS: readonly FaultCase[] = [...transports, ...callers];
