// Where the native door may answer otherwise than grpc-js, as internal/http2/README.md says, and what counts as a difference.
import type { Answers, StreamAnswer } from './door-answers.ts';
import type { EditName } from './mutated-calls.ts';

/** How the native door may differ. */
type Way = 'refuses' | 'refuses in other words' | 'lets through';

interface Rule {
  readonly about: string;
  readonly edits: readonly EditName[];
  readonly ways: readonly Way[];
}

/** In other words: by another code, or by another means. What the words themselves are is each door's own business. */
const RULES: readonly Rule[] = [
  {
    about: 'compressed messages, and prefixes that begin with neither 0 nor 1, are refused',
    edits: ['compressed', 'wrong flag'],
    ways: ['refuses', 'refuses in other words'],
  },
  { about: 'trailers behind a request are refused', edits: ['trailers'], ways: ['refuses', 'refuses in other words'] },
  {
    about: 'who does not speak gRPC is told so, by 415 and 405',
    edits: ['content-type', 'no content-type', 'method'],
    ways: ['refuses', 'refuses in other words'],
  },
  {
    about: 'bytes beyond the message are refused, and one that is cut off is INTERNAL',
    edits: ['bytes behind the message', 'a second message', 'length', 'cut off'],
    ways: ['refuses', 'refuses in other words'],
  },
  {
    about:
      'fields that RFC 9113 forbids reset the stream: te other than trailers, blanks around a value, names that are none',
    edits: ['te', 'a field more', 'a field twice', 'timeout'],
    ways: ['refuses', 'refuses in other words'],
  },
  {
    about: ':authority is not looked at',
    edits: ['authority', 'no authority'],
    ways: ['lets through', 'refuses in other words'],
  },
  {
    about: 'a path that names no method is UNIMPLEMENTED, whatever it looks like',
    edits: ['path'],
    ways: ['refuses in other words'],
  },
  {
    about: 'a wrong content-length resets its stream, not the connection',
    edits: ['wrong content-length'],
    ways: ['refuses in other words'],
  },
];

/** What the check of the echoing doors puts before the message, in hexadecimal. */
export const CHECKED = Buffer.from('checked ').toString('hex');

const passed = (answer: StreamAnswer | undefined): boolean => answer?.data.includes(CHECKED) === true;

/** What became of a call, without words. */
function outcome({ streams, goaway, isCutOff }: Answers, stream: number): string {
  const answer = streams.get(stream);
  if (answer === undefined) return isCutOff ? `the connection ended (${goaway ?? 'without a word'})` : 'nothing';
  if (answer.reset !== undefined) return `reset by ${answer.reset}`;
  return `HTTP ${answer.http} gRPC ${answer.grpcStatus}`;
}

/** How the answers to one call differ where they must not; undefined where they do not. */
export function differenceOf(grpcJs: Answers, native: Answers, edits: readonly EditName[]): string | undefined {
  const [one, other] = [grpcJs.streams.get(1), native.streams.get(1)];
  const words = `grpc-js ${outcome(grpcJs, 1)}, native ${outcome(native, 1)}: ${edits.join(', ')}`;
  if (passed(one) && passed(other))
    return one?.data === other?.data && one?.grpcStatus === other?.grpcStatus ? undefined : `other bytes: ${words}`;
  if (!passed(one) && !passed(other) && outcome(grpcJs, 1) === outcome(native, 1)) return undefined;
  const way: Way = passed(other) ? 'lets through' : passed(one) ? 'refuses' : 'refuses in other words';
  const isExplained = RULES.some(
    ({ edits: of, ways }) => ways.includes(way) && edits.some((edit) => of.includes(edit)),
  );
  return isExplained ? undefined : `the native one ${way}: ${words}`;
}

/**
 * The same for connections of many calls: what both have answered is the same. Where neither connection broke, the native
 * one has let nothing through that grpc-js did not.
 */
export function differencesOn(grpcJs: Answers, native: Answers): readonly string[] {
  const isWhole = !grpcJs.isCutOff && !native.isCutOff;
  return [...native.streams].flatMap(([stream, other]) => {
    const one = grpcJs.streams.get(stream);
    if (passed(one) && passed(other)) return one?.data === other.data ? [] : [`other bytes on stream ${stream}`];
    if (!passed(other) || !isWhole) return [];
    return [`the native one lets through stream ${stream}, grpc-js ${outcome(grpcJs, stream)}`];
  });
}
