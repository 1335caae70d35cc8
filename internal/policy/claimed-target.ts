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
}

/**
 * Reads the target of a spec that may be wrong in any way. Never throws.
 *
 * @param workload of a sidecar class, whose policies claim Pods
 */
export function claimedTarget(spec: unknown, workload?: Workload): ClaimedTarget {
  const target = member(spec, 'target');
  const read = listOf(member(target, 'paths')).map(claimedTemplate);
  const templates = read.length === 0 ? [EVERYTHING] : read;
  if (workload !== undefined) return claimedWorkload(member(target, 'workloadSelector'), workload, templates);
  return Object.freeze({
    hosts: [...new Set(listOf(member(target, 'hosts')).flatMap(claimedHost))],
    routes: listOf(member(target, 'routes')).flatMap(claimedRoutes),
    templates,
  });
}

/** Labels that cannot be read narrow nothing: a selector of which nothing can be read may have meant this Pod. */
function claimedWorkload(selector: unknown, workload: Workload, templates: ClaimedTarget['templates']): ClaimedTarget {
  const labels = Object.entries(Object(member(selector, 'matchLabels')) as object).filter(
    (label): label is [string, string] => typeof label[1] === 'string',
  );
  const isGiven = selector !== undefined && selector !== null;
  return Object.freeze({
    get hosts() {
      return isGiven ? workload.hostsOf(labels) : [];
    },
    routes: [],
    templates,
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
