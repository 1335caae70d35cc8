// What a limit's key most likely does not do as its author meant. Warnings all.
import type { ProblemList } from '../../core/problem.ts';
import { VOCABULARY } from '../../core/vocabulary.ts';
import { tellsWhose } from '../../core/whose-subject.ts';
import type { KeyPart, Stage } from './compile.ts';

/** What a client cannot leave out: what the instance and Envoy know, and what every request has. */
const isAlwaysThere = (name: string): boolean =>
  /^(?:client|source)\./.test(name) || name === 'request.params' || VOCABULARY[name]?.absent === 'never';

export function warnAboutKey(
  key: readonly KeyPart[],
  { stage, issuers }: { readonly stage: Stage; readonly issuers: ReadonlySet<string> },
  problems: ProblemList,
): void {
  const isTold = issuers.size < 2 || key.some(({ expression }) => tellsWhose(expression.attributes));
  for (const [index, { expression, missing }] of key.entries()) {
    const at = problems.at(index).at('expression');
    if (stage === 'AuthenticationFailure' && missing === 'Skip') {
      const given = [...expression.attributes].find((name) => !isAlwaysThere(name));
      if (given !== undefined)
        at.warn(
          'KeyCanBeMissing',
          `Where this is null the limit is skipped, and a client may leave out what ${given} holds: set missing: Deny, or count by client.network`,
        );
    }
    if (!isTold && expression.attributes.has('identity.subject'))
      at.warn(
        'SubjectAmbiguous',
        'identity.subject is unique only within its issuer, and callers of this policy have several: use identity.id',
      );
  }
}
