import { offsetsOf } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  prototype: { score: 5, from: 1 },
  constructor: { score: 5, from: 1 },
} as const satisfies Rules;

const NAME = '__proto__';
const SPELLINGS = [
  'constructor.prototype',
  'constructor[prototype',
  'constructor["prototype',
  "constructor['prototype",
  'constructor][prototype',
] as const;

/** Names by which a member of every object is written: `__proto__` where a key stands, `constructor.prototype`. */
export const prototypePollution: Detector = {
  kind: 'prototypePollution',
  rules: RULES,
  needs: TRAIT.underscore | TRAIT.dot | TRAIT.bracket,
  find(probe: Probe): undefined {
    const { text } = probe;
    probe.steps += text.length;
    if (!text.includes('proto')) return;
    const firstBlank = text.indexOf(' ');
    for (const at of offsetsOf(text, NAME))
      if (isKey(text, at, firstBlank === -1)) probe.report('prototype', at, at + 24);
    for (const spelling of SPELLINGS) {
      const at = text.indexOf(spelling);
      if (at !== -1 && (firstBlank === -1 || firstBlank > at)) probe.report('constructor', at, at + spelling.length);
    }
    probe.steps += (SPELLINGS.length + 2) * text.length;
  },
};

/** The whole value, or what stands in a path of members, in brackets or before a colon; a sentence has blanks around it. */
function isKey(text: string, start: number, isOneWord: boolean): boolean {
  const end = start + NAME.length;
  if (start === 0 && end === text.length) return true;
  const before = text[start - 1] ?? '';
  const after = text[end] ?? '';
  if (before === '[' || (before === '.' && isOneWord) || (before === '/' && isOneWord)) return true;
  if (
    (before === '"' || before === "'") &&
    (after === before || after === '\\') &&
    /^\s*:/.test(text.slice(end + 1, end + 17))
  )
    return true;
  return start === 0 && (after === '.' || after === '[' || after === '=');
}
