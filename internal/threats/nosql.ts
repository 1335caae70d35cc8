import { isWordUnit, skipBlanks } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'query-operator': { score: 5, from: 1 },
  'server-script': { score: 5, from: 1 },
  'lone-operator': { score: 3, from: 1 },
} as const satisfies Rules;

/** Operators of MongoDB's queries and updates, and of what speaks its language. */
const OPERATORS: ReadonlySet<string> = new Set(
  (
    'eq ne gt gte lt lte in nin and or not nor exists type expr jsonschema mod regex options text where geowithin geointersects ' +
    'near nearsphere all elemmatch size bitsallclear bitsallset bitsanyclear bitsanyset function accumulator lookup match ' +
    'group project unionwith out merge set unset inc push pull rename setonsinsert comment slice meta rand natural'
  ).split(' '),
);

/** Operators where a value should stand: `[$ne]` in a name, `{"$gt": ""}` in a text, `$where` as a key, code behind it. */
export const nosqlInjection: Detector = {
  kind: 'nosqlInjection',
  rules: RULES,
  needs: TRAIT.dollar,
  find(probe: Probe): undefined {
    const { text } = probe;
    for (let at = text.indexOf('$'); at !== -1; at = text.indexOf('$', at + 1)) {
      let end = at + 1;
      while (end < at + 24 && isWordUnit(text.charCodeAt(end))) end += 1;
      probe.steps += end - at;
      if (OPERATORS.has(text.slice(at + 1, end))) lookAround(probe, at, end);
    }
  },
};

function lookAround(probe: Probe, at: number, end: number): void {
  const { text } = probe;
  const name = text.slice(at + 1, end);
  if (text[at - 1] === '[' && text[end] === ']') {
    probe.report('query-operator', at - 1, end + 1);
    return;
  }
  if (at === 0 && end === text.length) {
    probe.report('lone-operator', at, end);
    return;
  }
  const quote = text[at - 1];
  const behind = skipBlanks(text, quote === '"' || quote === "'" ? end + 1 : end);
  const isKey = text[behind] === ':' && (quote === '"' || quote === "'" || isMemberBegun(text, at));
  if (isKey)
    probe.report(
      name === 'where' || name === 'function' || name === 'accumulator' ? 'server-script' : 'query-operator',
      at,
      behind + 16,
    );
}

function isMemberBegun(text: string, at: number): boolean {
  let before = at - 1;
  while (before > at - 16 && text.charCodeAt(before) <= 0x20) before -= 1;
  return text[before] === '{' || text[before] === ',';
}
