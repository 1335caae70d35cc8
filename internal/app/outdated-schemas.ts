import type { Problem } from '../core/problem.ts';
import { schemaDigest } from '../crd/generate.ts';
import { GROUP, KINDS, type Kind, type KindName } from '../policy/resource/kinds.ts';
import type { ObjectReport } from '../policy/store.ts';

const nameOf = ({ plural }: Kind): string => `${plural}.${GROUP}`;

/** The digest that each CustomResourceDefinition of this version carries, by its name. */
export const schemaDigests = (): ReadonlyMap<string, string> =>
  new Map(Object.values(KINDS).map((kind) => [nameOf(kind), schemaDigest(kind)]));

export const outdatedLine = (name: string): string =>
  `The installed CustomResourceDefinition "${name}" is of another version than this agent: apply the deploy/crds of its version`;

/**
 * The reports, with a warning on every object of an outdated definition.
 *
 * @param outdated names of definitions
 */
export function withOutdated(reports: readonly ObjectReport[], outdated: ReadonlySet<string>): readonly ObjectReport[] {
  if (outdated.size === 0) return reports;
  const warnings = new Map<string, Problem>();
  for (const name of outdated)
    warnings.set(name, { reason: 'SchemaOutdated', path: '', message: outdatedLine(name), severity: 'warning' });
  return reports.map((report) => {
    const warning = warnings.get(nameOf(KINDS[report.object.kind as KindName]));
    return warning === undefined ? report : { ...report, problems: [...report.problems, warning] };
  });
}
