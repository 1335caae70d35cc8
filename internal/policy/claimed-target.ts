import { canonicalHost } from '../core/canonical-host.ts';
import { member } from '../core/member.ts';
import { ProblemList } from '../core/problem.ts';
import { type PathTemplate, parsePathTemplate } from '../match/path-template.ts';
import type { RouteTarget } from './compiled-policy.ts';
import { ROUTE_KINDS } from './resource/api-policy.ts';
import type { Workload } from './workload.ts';

/** What a spec claims, as far as it can be read, while nothing of it serves: that part is refused, not free. */
export interface ClaimedTarget {
  /** Canonical, `*.` for wildcards. */
  readonly hosts: readonly string[];
  readonly routes: readonly RouteTarget[];
  /** The paths below its hosts; never empty. */
  readonly templates: readonly PathTemplate[];
  /** Those of them that may be wider than what was meant: they deny, also in Audit. */
  readonly guessed: ReadonlySet<PathTemplate>;
  /** Everything of it was read as it is written. */
  readonly isWhole: boolean;
}

/**
 * Reads the target of a spec that may be wrong in any way. Never throws.
 *
 * @param workload of a sidecar class, whose policies claim Pods
 */
export function claimedTarget(spec: unknown, workload?: Workload): ClaimedTarget {
  const target = member(spec, 'target');
  const paths = listOf(member(target, 'paths'));
  const read = paths.map(claimedTemplate);
  const templates = read.length === 0 ? [EVERYTHING] : read;
  const selector = member(target, 'workloadSelector');
  const routes = listOf(member(target, 'routes'));
  // A field in another spelling may be what would have narrowed it.
  const isNarrow =
    hasOnly(target, TARGET_FIELDS) &&
    (workload === undefined ? routes.every(isRoute) : selector === undefined || isSelector(selector));
  const guessed = new Set(isNarrow ? read.filter((template, index) => template.source !== paths[index]) : templates);
  const claimed = { templates, guessed, isWhole: isNarrow && guessed.size === 0 };
  if (workload !== undefined) return claimedWorkload(selector, workload, claimed);
  return Object.freeze({
    hosts: [...new Set(listOf(member(target, 'hosts')).flatMap(claimedHost))],
    routes: routes.flatMap(claimedRoutes),
    ...claimed,
  });
}

const TARGET_FIELDS = ['hosts', 'routes', 'workloadSelector', 'paths', 'pathOptions'];
const ROUTE_FIELDS = ['group', 'kind', 'name', 'sectionName'];

const hasOnly = (value: unknown, fields: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).every((key) => fields.includes(key));

function isRoute(route: unknown): boolean {
  const section = member(route, 'sectionName');
  const kind = member(route, 'kind') ?? 'HTTPRoute';
  return (
    hasOnly(route, ROUTE_FIELDS) &&
    ROUTE_KINDS.some((known) => known === kind) &&
    (section === undefined || typeof section === 'string')
  );
}

function isSelector(selector: unknown): boolean {
  const labels = member(selector, 'matchLabels');
  if (!hasOnly(selector, ['matchLabels']) || typeof labels !== 'object' || labels === null) return false;
  const values = Object.values(labels);
  return values.length > 0 && values.every((value) => typeof value === 'string');
}

/** Labels that cannot be read narrow nothing: a selector of which nothing can be read may have meant this Pod. */
function claimedWorkload(
  selector: unknown,
  workload: Workload,
  claimed: Omit<ClaimedTarget, 'hosts' | 'routes'>,
): ClaimedTarget {
  const labels = Object.entries(Object(member(selector, 'matchLabels')) as object).filter(
    (label): label is [string, string] => typeof label[1] === 'string',
  );
  const isGiven = selector !== undefined && selector !== null;
  return Object.freeze({
    get hosts() {
      return isGiven ? workload.hostsOf(labels) : [];
    },
    routes: [],
    ...claimed,
  });
}

/** One where a list is wanted is read as a list of one. */
function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function claimedHost(text: unknown): readonly string[] {
  if (typeof text !== 'string') return [];
  const isWildcard = text.startsWith('*.');
  const host = canonicalHost(isWildcard ? text.slice(2) : text);
  return host === undefined ? [] : [isWildcard ? `*.${host}` : host];
}

/** Whatever its group: metadata names none. A kind that nobody knows may have been meant for either. */
function claimedRoutes(route: unknown): readonly RouteTarget[] {
  const name = typeof route === 'string' ? route : member(route, 'name');
  if (typeof name !== 'string') return [];
  const given = member(route, 'kind') ?? 'HTTPRoute';
  const known = ROUTE_KINDS.filter((kind) => kind === given);
  const section = member(route, 'sectionName');
  const sectionName = typeof section === 'string' ? section : undefined;
  return (known.length === 0 ? ROUTE_KINDS : known).map((kind) => ({ kind, name, sectionName }));
}

export const EVERYTHING: PathTemplate = Object.freeze({
  source: '/**',
  segments: Object.freeze([Object.freeze({ kind: 'rest' as const })]),
  parameters: Object.freeze([]),
});
/** Segments of a template that cannot be read to its end; what lies deeper is claimed with the rest. */
const MAX_PREFIX = 32;

/** What covers all of them, and nothing narrower that ends in `**` and begins with literals does. */
export function commonTemplate(templates: readonly PathTemplate[]): PathTemplate {
  const [first, ...others] = templates;
  const literals = first?.segments.map((segment) => (segment.kind === 'literal' ? segment.text : undefined)) ?? [];
  const isCommon = (text: string | undefined, depth: number): boolean =>
    text !== undefined &&
    others.every(({ segments }) => {
      const other = segments[depth];
      return other?.kind === 'literal' && other.text === text;
    });
  const end = literals.findIndex((text, depth) => !isCommon(text, depth));
  const common = (first?.segments ?? []).slice(0, end === -1 ? literals.length : end);
  if (common.length === 0) return EVERYTHING;
  const [rest] = EVERYTHING.segments;
  const source = `${first?.source.split('/', common.length + 1).join('/')}/**`;
  return Object.freeze({ source, segments: Object.freeze(rest ? [...common, rest] : common), parameters: [] });
}

/** The template; or all below the part of it that can be read. */
function claimedTemplate(path: unknown): PathTemplate {
  if (typeof path !== 'string') return EVERYTHING;
  const whole = parsePathTemplate(path, new ProblemList());
  if (whole !== undefined) return whole;
  let prefix = EVERYTHING;
  let text = '';
  for (const piece of (path.startsWith('/') ? path.slice(1) : path).split('/', MAX_PREFIX)) {
    if (piece === '' || piece === '**') return prefix;
    text += `/${piece}`;
    const longer = parsePathTemplate(`${text}/**`, new ProblemList());
    if (longer === undefined) return prefix;
    prefix = longer;
  }
  return prefix;
}
