// Answers: what the counters of an ask say, in the order of its takes.
import type { CounterState } from '../../phases/ratelimit/counter-store.ts';
import type { FrameWriter } from './frame-writer.ts';
import { ANSWER_HEAD_BYTES, FAILED, NonsenseError, STATE_BYTES } from './frames.ts';

/** @param states undefined where it could not be told */
export function writeAnswer(to: FrameWriter, id: number, states: readonly CounterState[] | undefined): void {
  to.begin();
  to.uint32(id);
  to.uint16(states === undefined ? FAILED : states.length);
  for (const { isWithin, remaining, waitMs } of states ?? []) {
    to.uint8(isWithin ? 1 : 0);
    to.float64(remaining);
    to.float64(waitMs);
  }
  to.end();
}

/** The ask that is answered. */
export const idOfAnswer = (bytes: Buffer, from: number, to: number): number => {
  if (to - from < ANSWER_HEAD_BYTES) throw new NonsenseError('an answer without a head');
  return bytes.readUInt32LE(from);
};

/**
 * @param length how many counters were asked
 * @returns undefined where the owner could not tell
 * @throws {NonsenseError} for states that are not those
 */
export function statesOfAnswer(
  bytes: Buffer,
  { from, to, length }: { readonly from: number; readonly to: number; readonly length: number },
): readonly CounterState[] | undefined {
  const told = bytes.readUInt16LE(from + 4);
  if (told === FAILED) return undefined;
  if (told !== length || to - from !== ANSWER_HEAD_BYTES + length * STATE_BYTES)
    throw new NonsenseError(`an answer of ${told} states to an ask of ${length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const states = new Array<CounterState>(length);
  for (let i = 0, at = from + ANSWER_HEAD_BYTES; i < length; i += 1, at += STATE_BYTES) {
    const isWithin = view.getUint8(at);
    // Whatever is not said in so many words has not let anybody pass.
    if (isWithin > 1) throw new NonsenseError(`a state ${isWithin}`);
    states[i] = {
      isWithin: isWithin === 1,
      remaining: view.getFloat64(at + 1, true),
      waitMs: view.getFloat64(at + 9, true),
    };
  }
  return states;
}
