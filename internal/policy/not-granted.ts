import type { Problem } from '../core/problem.ts';
import type { ObjectMeta } from './object.ts';
import { GROUP, VERSION } from './resource/kinds.ts';
import { NAME_LABEL } from './selected-namespaces.ts';

/** One host of a policy with those of its paths that nothing gives its namespace. */
export interface Ungranted {
  readonly host: string;
  /** Where it stands in `spec.target.hosts`. */
  readonly index: number;
  readonly paths: readonly string[];
  /** Some of it is granted to somebody: a grant of it would take that from them. */
  readonly isOfOthers?: boolean;
}

/** A longer command is left out: it would be cut where a status ends. */
const MAX_COMMAND = 2048;
/** What the API server keeps of a `generateName` before the five characters that it adds. */
const MAX_PREFIX = 58;
const MAX_SHOWN = 4;
/**
 * What means nothing but itself between single quotes of a shell, and between double ones of YAML: a path is a tenant's
 * to choose, and whoever runs the platform copies the command.
 */
const PLAIN = /^[!#-&(-[\]-~]+$/;

/** All that a policy claims and is not granted, in one sentence, with the command that would grant just that. */
export function notGranted(ungranted: readonly Ungranted[], meta: ObjectMeta): Problem {
  const [first] = ungranted;
  const path =
    ungranted.length === 1 && first !== undefined ? `spec.target.hosts[${first.index}]` : 'spec.target.hosts';
  const parts = [...Map.groupBy(ungranted, ({ paths }) => JSON.stringify(paths)).values()].map(
    (hosts): Part => ({ hosts: hosts.map(({ host }) => host), paths: hosts[0]?.paths ?? [] }),
  );
  const what = shown(
    parts.map(({ hosts, paths }) => `${shown(paths.map(quoted))} of ${shown(hosts.map(quoted))}`),
    '; ',
  );
  const isOfOthers = ungranted.some((one) => one.isOfOthers === true);
  const command = isOfOthers ? undefined : granting(parts, meta);
  const ask = isOfOthers
    ? 'ask the platform, for some of it lies within what is granted already, and a grant of it would be carved out of that'
    : command === undefined
      ? 'ask the platform for a HostGrant of these that selects it'
      : `have the platform run ${command}`;
  return {
    reason: 'HostNotGranted',
    path,
    message: `No HostGrant gives this namespace ${what}: claim less, or ${ask}`,
    severity: 'error',
  };
}

interface Part {
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
}

/**
 * `create`, for `apply` would take a grant of this name from whoever has it; with a name that is new each time, for the
 * author may add hosts and be told again, and other policies' names may join up to the same. It may be run twice: grants
 * of the same give no more than one.
 */
function granting(parts: readonly Part[], { namespace, name }: ObjectMeta): string | undefined {
  const texts = [namespace, name, ...parts.flatMap(({ hosts, paths }) => [...hosts, ...paths])];
  if (!texts.every((text) => PLAIN.test(text))) return undefined;
  const prefix = `${`${namespace}.${name}`.slice(0, MAX_PREFIX - 1).replace(/[.-]+$/, '')}-`;
  const grants = parts.map(({ hosts, paths }) => {
    const spec = `hosts: [${hosts.map(quoted).join(', ')}], paths: [${paths.map(quoted).join(', ')}], namespaceSelector: {matchLabels: {${NAME_LABEL}: ${quoted(namespace)}}}`;
    return `{apiVersion: ${GROUP}/${VERSION}, kind: HostGrant, metadata: {generateName: ${quoted(prefix)}}, spec: {${spec}}}`;
  });
  const [only = ''] = grants;
  const yaml = grants.length === 1 ? only : `{apiVersion: v1, kind: List, items: [${grants.join(', ')}]}`;
  const command = `echo '${yaml}' | kubectl create -f -`;
  return command.length > MAX_COMMAND ? undefined : command;
}

const quoted = (text: string): string => `"${text}"`;

function shown(texts: readonly string[], between = ', '): string {
  const first = texts.slice(0, MAX_SHOWN).join(between);
  return texts.length > MAX_SHOWN ? `${first} and ${texts.length - MAX_SHOWN} more` : first;
}
