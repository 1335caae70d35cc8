import { ProblemList } from '../../internal/core/problem.ts';
import { parseFile } from '../../internal/files/parse-file.ts';
import { KINDS } from '../../internal/policy/resource/kinds.ts';
import { parseSpec } from '../../internal/policy/resource/parse-spec.ts';
import { documentOf, type SentObject } from './crd-cluster.ts';

/** Whether the agent takes an object that stands in a file: the file's reader what is around the spec, the store the spec. */
export function isTakenByAgent(object: SentObject): boolean {
  const { objects, problems } = parseFile('sent.yaml', JSON.stringify(documentOf(object)));
  const [found] = objects;
  if (found === undefined || problems.length > 0) return false;
  return parseSpec(KINDS[object.kind].spec, found.object.spec, new ProblemList()) !== undefined;
}
