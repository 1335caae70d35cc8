import { graph, of as inScope, one, type Row, rate, stat, table } from './panel.ts';

const POLICY = 'policy=~"$policy"';
const of = (...matchers: readonly string[]): string => inScope('postern_decisions_total', POLICY, ...matchers);
const denials = (...matchers: readonly string[]): string => of('decision="deny"', ...matchers);
const wouldDeny = inScope('postern_would_deny_total', POLICY);
const byReason = (...matchers: readonly string[]) => [
  { expr: `sum by (reason) (${rate(denials(...matchers))})`, legend: '{{reason}}' },
];
const OF_PHASES = { unit: 'reqps', stacked: true } as const;

/** Why are we denying: which policy, which reason, since when. */
export const DENIALS: readonly Row[] = [
  {
    title: 'Now',
    panels: [
      stat('Denied', 'Checks a second that a policy, or the lack of one, refuses.', one(`sum(${rate(denials())})`), {
        unit: 'reqps',
        width: 6,
      }),
      stat(
        'Share',
        'Of the checks of the policies that are chosen.',
        one(`sum(${rate(denials())}) / sum(${rate(of())})`),
        {
          unit: 'percentunit',
          width: 6,
        },
      ),
      stat(
        'Would be denied',
        'Rules, limits and policies in Audit would refuse so many: what Enforce will do.',
        one(`sum(${rate(wouldDeny)})`),
        {
          unit: 'reqps',
          width: 6,
        },
      ),
      stat(
        'Policies never accepted',
        'All of their traffic is denied: kubectl describe apol says why.',
        one(`max(${inScope('postern_policies', 'state="rejected"')})`),
        { width: 6, thresholds: [1, 10] },
      ),
    ],
  },
  {
    title: 'Which',
    panels: [
      graph('By reason', 'Each reason, and what to do, is in docs/reference/reasons.md.', byReason(), {
        ...OF_PHASES,
        width: 12,
      }),
      graph(
        'By policy',
        'The ten that deny most; "none" is no policy at all, "other" those beyond 50,000 series.',
        [{ expr: `topk(10, sum by (policy) (${rate(denials())}))`, legend: '{{policy}}' }],
        { ...OF_PHASES, width: 12 },
      ),
      table(
        'Denials in the chosen time',
        'By policy, phase and reason. Take the policy to the log: the line of a decision says the cause.',
        one(`sort_desc(topk(50, sum by (policy, phase, reason) (increase(${denials()}[$__range]))))`),
      ),
    ],
  },
  {
    title: 'By phase',
    panels: [
      graph(
        'Request',
        'What cannot be read in one way only: a client, or what Envoy should normalise.',
        byReason('phase="request"'),
        OF_PHASES,
      ),
      graph(
        'Policy',
        'No policy, another namespace holds the host, or TLS is missing.',
        byReason('phase="policy"'),
        OF_PHASES,
      ),
      graph(
        'Authentication',
        'Missing, unknown and expired credentials; many unknown ones: somebody guesses.',
        byReason('phase="authn"'),
        OF_PHASES,
      ),
      graph(
        'Limits',
        'Checks beyond a limit, by policy.',
        [{ expr: `sum by (policy, reason) (${rate(denials('phase="ratelimit"'))})`, legend: '{{policy}} {{reason}}' }],
        OF_PHASES,
      ),
      graph(
        'Authorization',
        'No rule allows, a rule denies, a scope is missing, or an expression has no value.',
        byReason('phase="authz"'),
        OF_PHASES,
      ),
      graph(
        'Validation',
        'Too large, too deep, or not what a field or its type says; the body may not be forwarded.',
        byReason('phase="validation"'),
        OF_PHASES,
      ),
      graph(
        'Share by policy',
        'The ten policies that deny the largest share of their checks.',
        [
          {
            expr: `topk(10, sum by (policy) (${rate(denials())}) / sum by (policy) (${rate(of())}))`,
            legend: '{{policy}}',
          },
        ],
        { unit: 'percentunit' },
      ),
    ],
  },
  {
    title: 'Audit, and what is let through',
    panels: [
      graph(
        'Would be denied, by policy and reason',
        'Read this before a rule goes from Audit to Enforce.',
        [{ expr: `sum by (policy, reason) (${rate(wouldDeny)})`, legend: '{{policy}} {{reason}}' }],
        { ...OF_PHASES, width: 12 },
      ),
      graph(
        'Allowed, by reason',
        'allowed: by a rule. public: without a credential. unmatched: no policy governs, --unmatched=allow.',
        [{ expr: `sum by (reason) (${rate(of('decision="allow"'))})`, legend: '{{reason}}' }],
        { ...OF_PHASES, width: 12 },
      ),
    ],
  },
];
