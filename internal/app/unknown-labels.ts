import type { FileObject } from '../files/parse-file.ts';
import type { ObjectReport } from '../policy/store.ts';

/**
 * The reports, where a policy that is granted too little may only lack its Namespace: grants select by labels, and files
 * need not hold what has them.
 */
export function withUnknownLabels(
  reports: readonly ObjectReport[],
  files: readonly FileObject[],
): readonly ObjectReport[] {
  const named = (kind: string): ReadonlySet<string> =>
    new Set(files.filter(({ object }) => object.kind === kind).map(({ object }) => object.metadata.name));
  const namespaces = named('Namespace');
  if (named('HostGrant').size === 0) return reports;
  return reports.map((report) => {
    const { namespace } = report.object.metadata;
    if (report.object.kind !== 'APIPolicy' || namespaces.has(namespace)) return report;
    const why = `The labels of "${namespace}" are not known, for no Namespace of that name is in these files: add what kubectl get namespaces -o yaml prints; where that changes nothing: `;
    const problems = report.problems.map((problem) =>
      problem.reason === 'HostNotGranted' ? { ...problem, message: why + problem.message } : problem,
    );
    return { ...report, problems };
  });
}
