// The same bytes to both gRPC doors, and what they answer otherwise than each other where they must not.
import type { GrpcDoor } from '../../../internal/extauthz/grpc-door.ts';
import { decodeResponse } from '../../../internal/extauthz/wire.fixture.ts';
import { DoorClient, portOf, startDoor, TRANSPORTS } from '../../door/door-client.ts';
import { checkFrames } from '../../door/h2-client.ts';
import { chance } from '../fuzzed-frames.ts';
import { type CaseDoor, type CaseFile, messageOf, prepare, startCaseDoor } from './case-requests.ts';
import { answersTo, OPENING } from './door-answers.ts';
import { differenceOf, differencesOn } from './doors-differ.ts';
import { framesOf, mutatedCall } from './mutated-calls.ts';
import { mutated } from './mutated-messages.ts';

export interface Compared {
  compared: number;
  /** Answers that were no refusal. */
  passed: number;
  /** What is said of each difference, with the bytes that make it. */
  readonly differences: string[];
}

export const nothingYet = (): Compared => ({ compared: 0, passed: 0, differences: [] });

const below =
  (next: () => number) =>
  (bound: number): number =>
    bound === 0 ? 0 : next() % bound;

/**
 * Messages to doors that decide by the same objects at the same time: what a case file asks for, what was recorded, and
 * mutations of both. Every byte of the answer counts.
 *
 * @param mutations of each message
 */
export async function compareMessages(
  file: CaseFile,
  recorded: readonly Buffer[],
  mutations: number,
  seed: number,
): Promise<Compared> {
  const sides = await Promise.all(TRANSPORTS.map((transport) => startCaseDoor(file, transport)));
  const clients = sides.map(({ door }) => new DoorClient(door.address));
  const next = chance(seed);
  const result = nothingYet();
  const compare = async (message: Buffer): Promise<void> => {
    const [one, other] = await Promise.all(clients.map((client) => answerOf(client, message)));
    result.compared += 1;
    if (other !== undefined && isAllow(other)) result.passed += 1;
    if (one !== other)
      result.differences.push(`${file.file}: ${message.toString('hex')}: grpc-js ${one}, native ${other}`);
  };
  const compareAll = async (message: Buffer): Promise<void> => {
    await compare(message);
    for (let i = 0; i < mutations; i += 1) await compare(mutated(message, next));
  };
  for (const each of file.cases) {
    await Promise.all(sides.map((side) => prepare(side, each)));
    const nowMs = sides[0]?.loaded.clock.nowMs ?? 0;
    for (const isRaw of [false, true]) await compareAll(messageOf(each.request ?? {}, nowMs, isRaw));
  }
  for (const message of recorded) await compareAll(message);
  await end(sides, clients);
  return result;
}

async function end(sides: readonly CaseDoor[], clients: readonly DoorClient[]): Promise<void> {
  for (const client of clients) client.close();
  await Promise.all(sides.map(({ door }) => door.drain(1000)));
}

/** As Envoy has it: code 0. */
function isAllow(answer: string): boolean {
  const [kind, hex = ''] = answer.split(' ');
  return kind === 'answer' && (decodeResponse(Buffer.from(hex, 'hex')).status?.code ?? 0) === 0;
}

/** The answer's bytes, or the status of gRPC. */
async function answerOf(client: DoorClient, message: Buffer): Promise<string> {
  try {
    return `answer ${(await client.check(message)).toString('hex')}`;
  } catch (error) {
    return `status ${String((error as { code?: number }).code)}`;
  }
}

interface EchoDoors {
  readonly grpcJs: GrpcDoor;
  readonly native: GrpcDoor;
  drain(): Promise<void>;
}

/** Doors that answer with what they were sent, so that each says what it has let through. */
async function startEchoDoors(): Promise<EchoDoors> {
  const check = (bytes: Uint8Array): Uint8Array => Buffer.concat([Buffer.from('checked '), bytes]);
  const [grpcJs, native] = [await startDoor({ check }, 'grpc-js'), await startDoor({ check }, 'native')];
  const drain = (): Promise<void> => Promise.all([grpcJs.drain(1000), native.drain(1000)]).then(() => undefined);
  return { grpcJs, native, drain };
}

/** Calls that are almost those of gRPC, each on a connection of its own. */
export async function compareCalls(messages: readonly Buffer[], count: number, seed: number): Promise<Compared> {
  const { grpcJs, native, drain } = await startEchoDoors();
  const pick = below(chance(seed));
  const result = nothingYet();
  for (let i = 0; i < count; i += 1) {
    const form = mutatedCall(messages[pick(messages.length)] ?? Buffer.from('hello'), pick);
    const bytes = Buffer.concat([OPENING, framesOf(form, pick)]);
    const [one, other] = await Promise.all(
      [grpcJs, native].map((door) => answersTo(portOf(door), bytes, { awaited: 1 })),
    );
    if (one === undefined || other === undefined) throw new Error('A door is missing');
    result.compared += 1;
    if (other.streams.get(1)?.grpcStatus === '0') result.passed += 1;
    const difference = differenceOf(one, other, form.edits);
    if (difference !== undefined) result.differences.push(`${difference}: ${bytes.toString('hex')}`);
  }
  await drain();
  return result;
}

/** A stream that no recorded connection has opened; its call says that what came before it has been read. */
const LAST = 0x0fff_ffff;
const REPLAY = { awaited: LAST, isRecorded: true, patienceMs: 5000 } as const;

/** Whole connections as they were recorded, then with some of their bits turned, or cut off and gone on with. */
export async function compareConnections(
  recorded: readonly Buffer[],
  mutations: number,
  seed: number,
): Promise<Compared> {
  const { grpcJs, native, drain } = await startEchoDoors();
  const pick = below(chance(seed));
  const result = nothingYet();
  for (const connection of recorded) {
    for (let i = 0; i <= mutations; i += 1) {
      const isAsRecorded = i === 0;
      const bytes = Buffer.concat([
        isAsRecorded ? connection : turned(connection, pick),
        checkFrames(LAST, Buffer.of(7)),
      ]);
      const [one, other] = await Promise.all([grpcJs, native].map((door) => answersTo(portOf(door), bytes, REPLAY)));
      if (one === undefined || other === undefined) throw new Error('A door is missing');
      result.compared += other.streams.size;
      result.passed += [...other.streams.values()].filter(({ grpcStatus }) => grpcStatus === '0').length;
      const differences = [...differencesOn(one, other)];
      if (isAsRecorded && (one.streams.size !== other.streams.size || one.isCutOff || other.isCutOff))
        differences.push(
          `of what was recorded, grpc-js answers ${one.streams.size}, the native one ${other.streams.size}`,
        );
      for (const difference of differences) result.differences.push(`${difference}: ${bytes.toString('hex')}`);
    }
  }
  await drain();
  return result;
}

function turned(connection: Buffer, pick: (bound: number) => number): Buffer {
  const changed = Buffer.from(connection);
  // Behind the preface and the first settings, where most of it is.
  for (let i = 0; i <= pick(3); i += 1) {
    const at = 60 + pick(Math.max(1, changed.length - 60));
    changed[at] = (changed[at] ?? 0) ^ (1 << pick(8));
  }
  return changed;
}
