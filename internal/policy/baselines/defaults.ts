import { isDeepStrictEqual } from 'node:util';
import type { Problem, ProblemList } from '../../core/problem.ts';
import type { ApiBaselineSpec } from '../resource/api-baseline.ts';
import type { ApiPolicySpec } from '../resource/api-policy.ts';

/** Sections that a baseline may give; never `authorization` or `public`. */
export const DEFAULT_SECTIONS = [
  'transport',
  'authentication',
  'validation',
  'rateLimits',
  'response',
  'auditLog',
] as const;
export type DefaultSection = (typeof DEFAULT_SECTIONS)[number];

/** One section of a baseline's defaults: the same object as long as its baseline stays as it is. */
export interface Default {
  readonly section: DefaultSection;
  /** Name of the baseline. */
  readonly by: string;
  /** The section, checked; undefined where nobody knows yet whether the baseline is for the namespace. */
  readonly value: ApiPolicySpec[DefaultSection];
}

/** What a namespace's policies get for sections that they leave out. */
export type Defaults = ReadonlyMap<DefaultSection, Default>;

export const NO_DEFAULTS: Defaults = new Map();

/** A section that a baseline gives, for namespaces that it is for and for those that it may be for. */
export interface GivenDefault {
  readonly known: Default;
  readonly unknown: Default;
}

export function givenDefaults({ defaults }: ApiBaselineSpec, by: string): readonly GivenDefault[] {
  return DEFAULT_SECTIONS.flatMap((section) => {
    const value = defaults?.[section];
    if (value === undefined) return [];
    const known: Default = Object.freeze({ section, by, value });
    return [Object.freeze({ known, unknown: Object.freeze({ section, by, value: undefined }) })];
  });
}

/** Sections that a policy leaves out whole: one that is there and empty is the author's word. */
export const omittedSections = (spec: ApiPolicySpec): readonly DefaultSection[] =>
  DEFAULT_SECTIONS.filter((section) => spec[section] === undefined);

/** What defaults give for some sections. */
export const givenBy = (defaults: Defaults, sections: readonly DefaultSection[]): readonly Default[] =>
  sections.flatMap((section) => defaults.get(section) ?? []);

export interface Filled {
  readonly spec: ApiPolicySpec;
  /** What of it is not the policy's own. */
  readonly given: readonly Default[];
}

/**
 * Fills what a policy leaves out, as if its author had written it. Where it cannot be told which baseline is for the
 * namespace the policy waits: without the section, or with another one, it might let in more.
 */
export function fillDefaults(spec: ApiPolicySpec, defaults: Defaults, problems: ProblemList): Filled {
  const given = givenBy(defaults, omittedSections(spec));
  for (const { section, by, value } of given) {
    if (value !== undefined) continue;
    problems
      .at(section)
      .error(
        'Invalid',
        `The labels of the namespace are not known yet, so nobody can tell whether APIBaseline "${by}" gives ${section}: wait for its Namespace, or write ${section} here`,
      );
  }
  const sections = Object.fromEntries(given.map(({ section, value }) => [section, value]));
  return { spec: given.length === 0 ? spec : { ...spec, ...sections }, given };
}

/** A spec as its author wrote it, with the sections that others gave. */
export const withGiven = (spec: unknown, given: readonly Default[]): object => ({
  ...(spec ?? {}),
  ...Object.fromEntries(given.map(({ section, value }) => [section, value])),
});

/**
 * Whether one spec is the other, but for sections that this one leaves out. Neither was checked yet.
 *
 * @param own what an author wrote
 */
export function isFilledFrom(filled: unknown, own: unknown): boolean {
  if (!isObject(filled) || !isObject(own)) return false;
  const rest: Record<string, unknown> = { ...filled };
  for (const section of DEFAULT_SECTIONS) if (!Object.hasOwn(own, section)) delete rest[section];
  return isDeepStrictEqual(plain(rest), plain(own));
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
/** Of which reader it came, and in what order, is no difference. */
const plain = (value: object): unknown => JSON.parse(JSON.stringify(value));

/** Says of what is wrong with a section that an author never wrote where it comes from. */
export function attributed(problems: readonly Problem[], given: readonly Default[]): readonly Problem[] {
  const known = given.filter(({ value }) => value !== undefined);
  if (known.length === 0) return problems;
  return problems.map((problem) => {
    // Of the whole spec, such as how much text its expressions have together.
    if (problem.path === 'spec')
      return { ...problem, message: `${problem.message} (with ${known.map(givenWords).join(' and ')})` };
    const own = known.find(({ section }) => isWithin(problem.path, `spec.${section}`));
    if (own !== undefined) {
      const where = `${problem.path.replace('spec.', 'spec.defaults.')} of APIBaseline "${own.by}", which gives it: write ${own.section} here, or mend it there`;
      return { ...problem, path: `spec.${own.section}`, message: `${problem.message} (at ${where})` };
    }
    const authentication = known.find(({ section }) => section === 'authentication');
    if (authentication === undefined || !isWithin(problem.path, 'spec.authorization')) return problem;
    return { ...problem, message: `${problem.message} (authentication is that of APIBaseline "${authentication.by}")` };
  });
}

const givenWords = ({ section, by }: Default): string => `${section} of APIBaseline "${by}"`;

const isWithin = (path: string, section: string): boolean =>
  path === section || path.startsWith(`${section}.`) || path.startsWith(`${section}[`);
