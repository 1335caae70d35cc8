import type { RE2JS } from 're2js';
import { isSpent, type Meter } from '../../core/meter.ts';
import { StateMemory } from './state-memory.ts';

// RE2 is linear in the text, but what one character costs differs by a factor of a thousand: where the automaton's
// states are known it is a step or two; a new state is built from all its threads; and where the states do not fit
// into memory, all threads are walked for each character. So the automaton itself charges what it builds.

/** Steps, measured. Of a character where states are known, and of each look ahead for a word that must be there; */
const CHARACTER_COST = 2;
/** of each branch that is asked for one character, where a pattern needs no states; */
const BRANCH_COST = 2;
/** of a transition that is built, and of each thread in the states at its two ends; */
const BUILD_COST = 60;
const THREAD_COST = 20;
/** of an instruction for one character, where the states did not fit into memory. */
const WALK_COST = 3;

/** Most bytes of states that one pattern keeps, as the library counts them. */
const MAX_STATES = 1_048_576;
/** Of all patterns of the process. */
const STATES_OF_ALL = new StateMemory(32 * MAX_STATES);

/** What a pattern may build when the policy arrives, so that the first requests find the usual states built. */
const WARM_WORK = 50_000;
const ASCII = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 0x20 + i));

/** Thrown through the library when the budget ends, so that it does not go on by a slower way. */
const SPENT = new Error('the budget is used up');

const NOBODY: Meter = { work: 0, iterations: 0 };

/** Searches a text; once the meter is used up it is false, and the whole evaluation an error. */
export type Search = (meter: Meter, text: string) => boolean;

export function meteredSearch(pattern: RE2JS, memory = STATES_OF_ALL): Search {
  const { onepass, prefilter } = pattern.re2();
  const perCharacter =
    CHARACTER_COST * (1 + (prefilter?.cost ?? 0)) + (onepass === null ? 0 : BRANCH_COST * longestBranch(onepass.inst));
  const search = onepass === null ? searchStates(pattern, memory) : (_: Meter, text: string) => pattern.test(text);
  search({ work: WARM_WORK, iterations: 0 }, ASCII);
  return (meter, text) => {
    meter.work -= text.length * perCharacter;
    return !isSpent(meter) && search(meter, text);
  };
}

/** A state of the library's automaton: its threads, and what follows for each class of characters once it is known. */
interface State {
  readonly nfaStates: readonly number[];
  readonly next: readonly (State | null)[] | null;
}

function searchStates(pattern: RE2JS, memory: StateMemory): Search {
  const { dfa } = pattern.re2();
  const size = pattern.programSize();
  let meter = NOBODY;
  let length = 0;
  let hasGrown = false;
  const charge = (cost: number): void => {
    meter.work -= cost;
    if (isSpent(meter)) throw SPENT;
  };
  dfa.stateBudget = MAX_STATES;
  dfa.memBudget = MAX_STATES;
  const grown = memory.add(dfa);
  const step = dfa.step.bind(dfa);
  dfa.step = (state: State, cls: number, rune: number, anchor: number): State | null => {
    const known = state.next?.[cls];
    if (known) return known;
    charge(BUILD_COST + THREAD_COST * state.nfaStates.length + (state.next === null ? dfa.numClasses >> 3 : 0));
    hasGrown = true;
    const built: State | null = step(state, cls, rune, anchor);
    meter.work -= THREAD_COST * (built ?? state).nfaStates.length;
    return built;
  };
  const match = dfa.match.bind(dfa);
  dfa.match = (input: unknown, position: number, anchor: number): boolean | null => {
    const found: boolean | null = match(input, position, anchor);
    // Null: the states do not fit. The library now walks all threads, unless that is too much.
    if (found === null) charge(WALK_COST * size * (length + 1));
    return found;
  };
  return (given, text) => {
    meter = given;
    length = text.length;
    try {
      return pattern.test(text);
    } catch (error) {
      if (error === SPENT) return false;
      throw error;
    } finally {
      // The pattern outlives the check: it must not keep its request alive.
      meter = NOBODY;
      if (hasGrown) grown();
      hasGrown = false;
    }
  };
}

interface Instruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
}

/** The library's numbers of the instructions that take no character: two branches, and those with one way out. */
const BRANCHES: ReadonlySet<number> = new Set([1, 2]);
const WAYS: ReadonlySet<number> = new Set([3, 4, 7]);

/** Most instructions between two characters. */
function longestBranch(program: readonly Instruction[]): number {
  const lengths = new Map<number, number>();
  const from = (pc: number): number => {
    const known = lengths.get(pc);
    const instruction = program[pc];
    if (known !== undefined || instruction === undefined) return known ?? 0;
    lengths.set(pc, 0);
    let length = 0;
    if (BRANCHES.has(instruction.op)) length = 1 + Math.max(from(instruction.out), from(instruction.arg));
    else if (WAYS.has(instruction.op)) length = 1 + from(instruction.out);
    lengths.set(pc, length);
    return length;
  };
  return program.reduce((longest, _, pc) => Math.max(longest, from(pc)), 0);
}
