import { scanSteps } from '../../internal/threats/scan.ts';
import { THREAT_KINDS } from '../../internal/threats/threat.ts';

const OPTIONS = { kinds: THREAT_KINDS, sensitivity: 3, exclusions: [] } as const;
const PLACE = { in: 'body', name: '' } as const;
const LONGEST_TRY = 2048;
const GROWN = 65_536;

/** Pieces that detectors stop at: every sign, and beginnings of what they look for. */
const PIECES = [
  ...'\'"`<>=&%\\$(){}[];:|.,/@#*+-!?~^ \n\r\t0aé\u00bc\uff1c\u0301',
  ...'or and select union /* */ /*! -- :: ( ) case when from in not as 1.e( || && <a <script on onload= = javascript: data:'.split(
    ' ',
  ),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what detectors look for
  ...'document .cookie eval( ${ {{ }} #{ <% %> $( $ne [$ne] "$gt": ../ ..\\ ..; // http:// file:// @ [::1] 0x7f __proto__'.split(
    ' ',
  ),
  ..."constructor.prototype <!entity <!doctype [ )(uid= (|(a= parent::* ' or // ; cat \\u003c &#x3c; &lt; %3c %253c %u003c".split(
    ' ',
  ),
];

/** The longest stretch between two stops while a value is looked at. */
export function longestStretch(value: string): number {
  let longest = 0;
  let start = performance.now();
  const steps = scanSteps(value, PLACE, OPTIONS);
  for (let step = steps.next(); ; step = steps.next()) {
    const now = performance.now();
    longest = Math.max(longest, now - start);
    start = now;
    if (step.done === true) return longest;
  }
}

/** Random compositions of pieces, many of them repeated: what takes long by its length is seen when it is grown. */
export function* tries(count: number, chance: () => number): Generator<string> {
  const pick = (): string => PIECES[Math.floor(chance() * PIECES.length)] ?? '';
  for (let i = 0; i < count; i += 1) {
    let unit = '';
    const parts = 1 + Math.floor(chance() * 6);
    for (let k = 0; k < parts; k += 1) unit += pick();
    const prefix = chance() < 0.3 ? pick() + pick() : '';
    const length = lengthOf(chance());
    yield (prefix + unit.repeat(Math.ceil(length / unit.length))).slice(0, LONGEST_TRY);
  }
}

/** Mostly short, for what is slow is so by what it is made of; a few as long as a try may be. */
const lengthOf = (share: number): number => (share < 0.9 ? 64 : share < 0.99 ? 256 : LONGEST_TRY);

/** The same composition, 64 KiB long. */
export function grow(value: string): string {
  return value.repeat(Math.ceil(GROWN / value.length)).slice(0, GROWN);
}
