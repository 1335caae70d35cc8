import type { Evaluation, Mode, StepResult } from '../../core/evaluation.ts';
import { type Content, contentOf, isTaken, NOT_JSON, NOT_TAKEN } from './body-content.ts';
import type { BodyRules } from './compile.ts';
import type { ContentKind, ContentLimits } from './content-limits.ts';
import { judgeFields, strictestOf } from './judge-fields.ts';
import { judgeGraphql } from './judge-graphql.ts';
import { judgeLimits } from './judge-limits.ts';
import { BODY_CUT } from './refusals.ts';
import { type SeenBody, seenBody } from './seen-body.ts';

/**
 * Judges a body by the rules that ask for it. What none of them can read is refused as strictly as the strictest asks.
 *
 * @param mode of the section, which is that of its limits
 */
export function judgeBody(rules: BodyRules, evaluation: Evaluation, mode: Mode): StepResult {
  const asked = strictestOf(rules.members, evaluation);
  if (!rules.isAlwaysRead && asked === undefined) return undefined;
  const body = seenBody(evaluation.request, rules.bodyless);
  if ('reason' in body) return evaluation.refuse(body, rules.isAlwaysRead ? stricter(mode, asked) : asked);
  return judgeHull(rules, evaluation, { body, mode }) ?? judgeContent(rules, evaluation, { body, mode, asked });
}

const stricter = (one: Mode, other: Mode | undefined): Mode =>
  one === 'Enforce' || other === 'Enforce' ? 'Enforce' : 'Audit';

interface Seen {
  readonly body: SeenBody;
  readonly mode: Mode;
}

/** What needs no look inside. */
function judgeHull({ maxBytes, contentTypes }: BodyRules, evaluation: Evaluation, { body, mode }: Seen): StepResult {
  if (maxBytes !== undefined && body.size > maxBytes) {
    const refusal = evaluation.refuse(BODY_CUT, mode);
    if (refusal !== undefined) return refusal;
  }
  if (contentTypes === undefined || body.size === 0 || isTaken(contentTypes, evaluation)) return undefined;
  return evaluation.refuse(NOT_TAKEN, mode);
}

interface Wanted extends Seen {
  /** How strictly a member is asked for; undefined where none is. */
  readonly asked: Mode | undefined;
}

function judgeContent(rules: BodyRules, evaluation: Evaluation, { body, mode, asked }: Wanted): StepResult {
  const { content: limits, members, maxInflated } = rules;
  if (limits === undefined && asked === undefined) return undefined;
  const kinds = asked === undefined ? (limits?.kinds ?? NO_KINDS) : withJson(limits?.kinds);
  const content = contentOf(evaluation, body, { kinds, maxInflated });
  if ('reason' in content) return evaluation.refuse(content, limits === undefined ? asked : stricter(mode, asked));
  const broken = limits && judgeRead(limits, evaluation, { content, mode });
  if (broken !== undefined || asked === undefined) return broken;
  // Members of a form or of XML are none that a rule could judge.
  if (content.kind !== 'json' && content.kind !== 'none') return evaluation.refuse(NOT_JSON, asked);
  return judgeFields(members, evaluation, content.kind === 'json' ? content.value : undefined);
}

function judgeRead(
  { kinds, limits }: ContentLimits,
  evaluation: Evaluation,
  { content, mode }: { readonly content: Content; readonly mode: Mode },
): StepResult {
  const broken =
    'shape' in content
      ? judgeLimits(limits, evaluation, { kind: content.kind, shape: content.shape, mode })
      : undefined;
  return broken ?? (kinds.has('graphql') ? judgeGraphql(limits, evaluation, { content, mode }) : undefined);
}

const NO_KINDS: ReadonlySet<ContentKind> = new Set();
const JSON_ALONE: ReadonlySet<ContentKind> = new Set(['json']);

/** Members are of JSON, also where no limit is on it. */
const withJson = (kinds = NO_KINDS): ReadonlySet<ContentKind> =>
  kinds.has('json') ? kinds : kinds.size === 0 ? JSON_ALONE : new Set([...kinds, 'json']);
