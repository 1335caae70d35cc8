// Which method of the policy's authentication supplies a word of a rule.

import type { ProblemList } from '../../core/problem.ts';
import { tellsWhose } from '../../core/whose-subject.ts';
import type { Expression } from '../../match/expression/expression.ts';
import type { CriteriaSpec } from './spec.ts';

/** What authorization must know of the policy's authentication: which method can supply which word. */
export interface MethodFacts {
  readonly name: string;
  /** Who vouches for the subjects of its callers. */
  readonly issuer: string;
  readonly suppliesGroups: boolean;
  readonly suppliesScopes: boolean;
}

const WORDS = ['groups', 'scopes'] as const;
type Word = (typeof WORDS)[number];

const supplies = (method: MethodFacts, word: Word): boolean =>
  word === 'groups' ? method.suppliesGroups : method.suppliesScopes;

const INSTEAD: Readonly<Record<Word, string>> = {
  groups: 'set groupsClaim of a jwt method, or deny by roles',
  scopes: 'only a jwt method supplies them, so deny by groups or roles',
};

const namesOf = (methods: readonly MethodFacts[]): string => methods.map(({ name }) => name).join(', ');

/**
 * Each word has one source: where two methods could supply groups or scopes, the rule says which it means. A deny by a
 * word that no method supplies could never match, and is refused: nothing would tell its author that it lets all by.
 */
export function checkSources(
  spec: CriteriaSpec,
  { methods, isDeny }: { readonly methods: readonly MethodFacts[]; readonly isDeny: boolean },
  problems: ProblemList,
): void {
  if (!knowsMethods(spec.via ?? [], methods, problems.at('via'))) return;
  const asked = methods.filter(({ name }) => spec.via?.includes(name) ?? true);
  const used = WORDS.filter((word) => spec[word] !== undefined);
  for (const word of used) {
    const sources = asked.filter((method) => supplies(method, word));
    const at = problems.at(word);
    if (sources.length === 0 && isDeny)
      at.error('Invalid', `No method supplies ${word} here, so this deny could never match: ${INSTEAD[word]}`);
    if (sources.length > 1 && spec.via === undefined)
      at.error(
        'SubjectAmbiguous',
        `More than one method supplies ${word} (${namesOf(sources)}): add via: [${sources[0]?.name}]`,
      );
  }
  if (!isDeny || used.length < 2 || asked.some((method) => used.every((word) => supplies(method, word)))) return;
  if (used.some((word) => !asked.some((method) => supplies(method, word)))) return;
  problems.error(
    'Invalid',
    'No one method supplies groups and scopes, so this deny could never match: write two rules',
  );
}

function knowsMethods(via: readonly string[], methods: readonly MethodFacts[], problems: ProblemList): boolean {
  let isKnown = true;
  for (const [index, name] of via.entries()) {
    if (methods.some((method) => method.name === name)) continue;
    isKnown = false;
    const known = methods.map((method) => `"${method.name}"`).join(', ') || 'none';
    problems.at(index).error('Invalid', `No authentication method "${name}"; this policy has ${known}`);
  }
  return isKnown;
}

/** What tells in an expression whose word it is. */
const TELLING = ['identity.method', 'identity.issuer', 'identity.kind'];

/** Warns of conditions that read a word without saying whose, or one that nobody supplies. */
export function warnAboutWords(
  conditions: readonly Expression[],
  { via, methods }: { readonly via: readonly string[] | undefined; readonly methods: readonly MethodFacts[] },
  problems: ProblemList,
): void {
  const asked = methods.filter(({ name }) => via?.includes(name) ?? true);
  const isTold = via !== undefined || conditions.some(({ attributes }) => TELLING.some((name) => attributes.has(name)));
  for (const [index, { attributes }] of conditions.entries()) {
    for (const word of WORDS) {
      if (!attributes.has(`identity.${word}`)) continue;
      const sources = asked.filter((method) => supplies(method, word));
      const at = problems.at(index).at('expression');
      if (sources.length === 0) at.warn('Invalid', `No method supplies ${word} here: identity.${word} is always empty`);
      else if (sources.length > 1 && !isTold)
        at.warn(
          'SubjectAmbiguous',
          `identity.${word} may be of any of ${namesOf(sources)}: add via: [${sources[0]?.name}], or compare identity.method`,
        );
    }
  }
}

/** Warns of conditions that read a subject of several issuers without saying whose: two callers may have the same one. */
export function warnAboutSubject(
  conditions: readonly Expression[],
  { via, methods }: { readonly via: readonly string[] | undefined; readonly methods: readonly MethodFacts[] },
  problems: ProblemList,
): void {
  const asked = methods.filter(({ name }) => via?.includes(name) ?? true);
  const isTold = conditions.some(({ attributes }) => tellsWhose(attributes));
  if (isTold || new Set(asked.map(({ issuer }) => issuer)).size < 2) return;
  for (const [index, { attributes }] of conditions.entries()) {
    if (!attributes.has('identity.subject')) continue;
    const at = problems.at(index).at('expression');
    at.warn(
      'SubjectAmbiguous',
      `identity.subject is unique only within its issuer, and callers of ${namesOf(asked)} have several: use identity.id, or compare identity.issuer too`,
    );
  }
}
