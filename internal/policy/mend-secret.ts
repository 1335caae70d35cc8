// The commands that make a Secret what its reader needs. The key is asked for, without showing it: it stands in no shell's
// history. They are of any POSIX shell, in which `read` shows what is typed unless the terminal is told otherwise.

import { MIN_SECRET_BYTES } from '../phases/authn/key-digest.ts';

export const SECRET_TYPE = 'postern.dev/credential';
/** Annotation that lists who may use a Secret. */
export const USED_BY = 'postern.dev/used-by';

/** A Secret as it should be. */
export interface Wanted {
  readonly name: string;
  /** Its data key. */
  readonly key: string;
  /** undefined for files, where no command helps. */
  readonly namespace: string | undefined;
  /** All that its annotation should list. */
  readonly readers: readonly string[];
}

/** More readers than fit are not written out. */
const MAX_READERS = 1024;
/** In a shell of its own, so that the terminal shows again what is typed after it, however this ends. */
const READ = [
  `trap 'stty echo 2>/dev/null' EXIT INT`,
  `printf "Type the client's key (postern keys new makes one): " >&2`,
  'stty -echo 2>/dev/null',
  'IFS= read -r KEY',
  'echo >&2',
  `printf %s "$KEY"`,
].join('; ');
/** Nothing is done with a key that would be refused, an empty one least of all. */
const ASK = `NEW_KEY=$(${READ}) && { [ \${#NEW_KEY} -ge ${MIN_SECRET_BYTES} ] || { echo "A key has at least ${MIN_SECRET_BYTES} characters: nothing is done" >&2; false; }; }`;

/** Of a Secret that is not there. */
export const making = (wanted: Wanted): string =>
  wanted.namespace === undefined ? `add one ${asWanted(wanted)}` : [ASK, create(wanted), annotate(wanted)].join(' && ');

/** Of one whose type is another: the API server changes no type. */
export function remaking(wanted: Wanted): string {
  if (wanted.namespace === undefined) return `make it one ${asWanted(wanted)}`;
  const remove = `kubectl -n ${wanted.namespace} delete secret ${wanted.name}`;
  return `its type cannot be changed: if nothing else uses it, make it anew, ${[ASK, remove, create(wanted), annotate(wanted)].join(' && ')}`;
}

/** Of one of our type that lacks something. */
export function mending(
  wanted: Wanted,
  { isOffered, hasKey }: { readonly isOffered: boolean; readonly hasKey: boolean },
): string {
  if (wanted.namespace === undefined) return `make it one ${asWanted(wanted)}`;
  return [...(hasKey ? [] : [ASK, patch(wanted)]), ...(isOffered ? [] : [annotate(wanted)])].join(' && ');
}

const asWanted = ({ key, readers }: Wanted): string =>
  `of type ${SECRET_TYPE} with the data key "${key}" and the annotation ${USED_BY}: ${listOf(readers)}`;

const create = ({ namespace, name, key }: Wanted): string =>
  `kubectl -n ${namespace} create secret generic ${name} --type=${SECRET_TYPE} --from-literal=${key}="$NEW_KEY"`;

const patch = ({ namespace, name, key }: Wanted): string =>
  `kubectl -n ${namespace} patch secret ${name} -p "{\\"stringData\\":{\\"${key}\\":\\"$NEW_KEY\\"}}"`;

const annotate = ({ namespace, name, readers }: Wanted): string =>
  `kubectl -n ${namespace} annotate --overwrite secret ${name} ${USED_BY}=${listOf(readers)}`;

function listOf(readers: readonly string[]): string {
  const all = readers.join(',');
  return all.length > MAX_READERS ? `ALL_THAT_IT_LISTS,${readers.at(-1)}` : all;
}
