import { policy, times, type WrongShape } from './wrong-shape.ts';

const limits = (...more: object[]): object => ({ target: { hosts: ['a.example.org'] }, rateLimits: more });
const limit = (more: object): object =>
  limits({ name: 'a', stage: 'AfterAuthentication', rates: [{ requests: 1, window: '1s' }], ...more });
const rates = (...more: object[]): object => limit({ rates: more });
const rate = (more: object): object => rates({ requests: 1, window: '1s', ...more });

const LIMIT = 'spec.rateLimits[0]';
const RATE = `${LIMIT}.rates[0]`;
const SAME_WINDOW = `${LIMIT}.rates: Invalid value: two rates of one limit have the same window: keep the smaller one`;
const ONE_WINDOW = `${RATE}: Invalid value: exactly one of window or calendar must be set`;
const BURST = `${RATE}: Invalid value: burst goes with algorithm GCRA`;
const SHARE = `${LIMIT}: Invalid value: AuthenticationFailure cannot share a counter between callers it cannot tell apart, or any stranger locks everyone out: set a key such as client.network, with missing: Skip`;

export const WRONG_LIMITS: readonly WrongShape[] = [
  policy('no stage', limits({ name: 'a', rates: [{ requests: 1, window: '1s' }] }), `${LIMIT}.stage: Required value`),
  policy('no rate', limit({ rates: [] }), `${LIMIT}.rates in body should have at least 1 items`),
  policy('nothing allowed', rate({ requests: 0 }), `${RATE}.requests in body should be greater than or equal to 1`),
  policy('half a request', rate({ requests: 1.5 }), `${RATE}.requests in body must be of type int64: "float64"`),
  policy('a number in quotes', rate({ requests: '1' }), `${RATE}.requests in body must be of type integer: "string"`, {
    typed: '.spec.rateLimits[name="a"].rates[0].requests: expected numeric (int or float), got string',
  }),
  policy('no window', rates({ requests: 1 }), ONE_WINDOW),
  policy('a window and a calendar', rate({ calendar: { unit: 'Day' } }), ONE_WINDOW),
  policy(
    'a window in days',
    rate({ window: '1d' }),
    `${RATE}.window: Invalid value: "1d": must be whole numbers with h, m, s or ms`,
  ),
  policy(
    'a tiny window',
    rate({ window: '9ms' }),
    `${RATE}.window: Invalid value: "9ms": must be from 10ms to 8784h (366 days)`,
  ),
  policy(
    'two years',
    rate({ window: '17568h' }),
    `${RATE}.window: Invalid value: "17568h": must be from 10ms to 8784h`,
  ),
  policy('one window twice', rates({ requests: 1, window: '60s' }, { requests: 2, window: '1m' }), SAME_WINDOW),
  policy(
    'one calendar twice',
    rates({ requests: 1, calendar: { unit: 'Day' } }, { requests: 2, calendar: { unit: 'Day', timeZone: 'UTC' } }),
    SAME_WINDOW,
  ),
  policy('burst of a sliding window', rate({ algorithm: 'SlidingWindow', burst: 2 }), BURST),
  policy('burst of a calendar', rates({ requests: 1, calendar: { unit: 'Day' }, burst: 2 }), BURST),
  policy(
    'a unit of no calendar',
    rates({ requests: 1, calendar: { unit: 'day' } }),
    `${RATE}.calendar.unit: Unsupported value: "day"`,
  ),
  policy(
    'strangers on one counter of failures',
    limit({ stage: 'AuthenticationFailure', key: [{ expression: 'client.network', missing: 'Share' }] }),
    SHARE,
  ),
  policy('one counter of failures for all', limit({ stage: 'AuthenticationFailure' }), SHARE),
  policy('an empty cost', limit({ cost: {} }), `${LIMIT}.cost.expression: Required value`),
  policy(
    'many limits',
    limits(
      ...times(33, (i) => ({ name: `l${i}`, stage: 'AfterAuthentication', rates: [{ requests: 1, window: '1s' }] })),
    ),
    'spec.rateLimits: Too many: 33: must have at most 32',
  ),
];
