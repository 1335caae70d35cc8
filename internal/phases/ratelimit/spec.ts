import { z } from 'zod';
import { DURATION_PATTERN, parseDurationMs } from '../../core/duration.ts';
import { duration, exactlyOneOf, itemName, mode, namedList, withRule } from '../../core/schema.ts';

const keyPart = z.strictObject({
  expression: z.string().min(1).max(2048).describe('A CEL expression; null means that the key is missing.'),
  missing: z
    .enum(['Share', 'Skip', 'Deny'])
    .optional()
    .describe(
      'What a missing key means: one counter for all of them, no limit, or a refusal. Default Share; Skip for AuthenticationFailure.',
    ),
});

const calendar = z.strictObject({
  unit: z
    .enum(['Minute', 'Hour', 'Day', 'Week', 'Month', 'Year'])
    .describe('Window from one edge of the calendar to the next; weeks begin on Monday.'),
  timeZone: z.string().min(1).max(64).default('UTC').describe('IANA name, as in Europe/Berlin.'),
});

const IS_DURATION = `matches('${DURATION_PATTERN.source}')`;
const MIN_WINDOW_MS = 10;
const MAX_WINDOW_MS = 366 * 24 * 3_600_000;

/** What is no duration has been told so already. */
const window = () =>
  withRule(
    duration(),
    `!self.${IS_DURATION} || (duration(self) >= duration('10ms') && duration(self) <= duration('8784h'))`,
    'must be from 10ms to 8784h (366 days)',
    (text) => {
      const ms = parseDurationMs(text);
      return ms === undefined || (ms >= MIN_WINDOW_MS && ms <= MAX_WINDOW_MS);
    },
  );

const rate = withRule(
  exactlyOneOf(
    z.strictObject({
      requests: z.int().min(1).max(1_000_000_000).describe('Requests, or units of cost, that a window lets pass.'),
      window: window().optional().describe('Length of the window, from 10ms to 8784h (366 days).'),
      calendar: calendar.optional().describe('A fixed window of the calendar instead of a length.'),
      algorithm: z
        .enum(['GCRA', 'SlidingWindow', 'FixedWindow'])
        .optional()
        .describe(
          'GCRA (default) spreads requests evenly; SlidingWindow never lets more pass in any window; FixedWindow counts between edges, and two edges can be close.',
        ),
      burst: z
        .int()
        .min(1)
        .max(1_000_000_000)
        .optional()
        .describe('GCRA only: the most that may pass at one instant; default requests.'),
    }),
    ['window', 'calendar'],
  ),
  "!has(self.burst) || (!has(self.calendar) && (!has(self.algorithm) || self.algorithm == 'GCRA'))",
  'burst goes with algorithm GCRA',
  (value) => value.burst === undefined || (value.calendar === undefined && (value.algorithm ?? 'GCRA') === 'GCRA'),
);

type Rate = z.output<typeof rate>;

const windowOf = ({ window: text, calendar: edges }: Rate): string =>
  edges === undefined ? String(parseDurationMs(text ?? '') ?? text) : `${edges.unit} ${edges.timeZone}`;

/** Two rates of one window would be one of them, or share a counter. */
const rates = withRule(
  z.array(rate).min(1).max(8),
  [
    `self.all(a, !has(a.window) || !a.window.${IS_DURATION} || self.exists_one(b, has(b.window) && b.window.${IS_DURATION} && duration(a.window) == duration(b.window)))`,
    'self.all(a, !has(a.calendar) || self.exists_one(b, has(b.calendar) && a.calendar.unit == b.calendar.unit && a.calendar.timeZone == b.calendar.timeZone))',
  ].join(' && '),
  'two rates of one limit have the same window: keep the smaller one',
  (items) => new Set(items.map(windowOf)).size === items.length,
);

const members = {
  name: itemName().describe('Name of the limit, as headers, logs and metrics say it; part of its counters.'),
  stage: z
    .enum(['BeforeAuthentication', 'AuthenticationFailure', 'AfterAuthentication'])
    .describe('When it is taken. AuthenticationFailure is given back when the credential proves right.'),
  key: z
    .array(keyPart)
    .max(8)
    .default([])
    .describe('What has a counter of its own; without a key there is one for all.'),
  cost: z
    .strictObject({
      expression: z
        .string()
        .min(1)
        .max(2048)
        .describe('A whole number from 0 to the smallest `requests` or `burst` of the rates.'),
    })
    .optional()
    .describe('What one request takes; default 1.'),
  rates: rates.describe('All of them hold; they are taken all or none.'),
  store: z
    .enum(['Shared', 'Local'])
    .optional()
    .describe(
      'Where counters live; default Shared where the instance has a store. No instance of this version has one: each counts for itself.',
    ),
  onFault: z
    .enum(['LocalShare', 'Deny', 'Allow'])
    .default('LocalShare')
    .describe(
      'What happens while the counters of a limit cannot be asked, which this version knows only of several --workers, each of which has a part of them: count locally (each worker for itself), refuse, or let pass.',
    ),
  countDenied: z.boolean().default(true).describe('Whether a request that is refused later still counts.'),
};

/** What a failed guess is counted by may never be one for all. */
const keyed = <T extends z.ZodObject<typeof members>>(object: T) =>
  withRule(
    object,
    "self.stage != 'AuthenticationFailure' || (has(self.key) && size(self.key) > 0 && self.key.all(k, !has(k.missing) || k.missing != 'Share'))",
    'AuthenticationFailure cannot share a counter between callers it cannot tell apart, or any stranger locks everyone out: set a key such as client.network, with missing: Skip',
    (value) =>
      value.stage !== 'AuthenticationFailure' ||
      (value.key.length > 0 && value.key.every((part) => part.missing !== 'Share')),
  );

const limit = keyed(
  z.strictObject({
    ...members,
    mode: mode().optional().describe('Audit only counts and logs what this limit would do.'),
  }),
);

/** `rateLimits`: how often. */
export const rateLimitsSpec = namedList(limit, 32);

/** Limits of a baseline, which are never in Audit. */
export const enforcedLimitsSpec = namedList(keyed(z.strictObject(members)), 32);

export type RateLimitSpec = z.output<typeof rateLimitsSpec>[number];
export type RateSpec = RateLimitSpec['rates'][number];
