import { member } from '../core/member.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import { making, mending, remaking, SECRET_TYPE, USED_BY, type Wanted } from './mend-secret.ts';
import type { SourceObject } from './object.ts';

const READER = /^[A-Za-z]+\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** What is known of a Secret that somebody names: the object, that there is none, or that it may not be read. */
export type KnownSecret = SourceObject | 'absent' | 'forbidden';

/** Where Secrets are looked for, and by whom. */
export interface SecretReader {
  readonly namespace: string;
  /** The agent's own; undefined where nobody can tell it. */
  readonly account: { readonly namespace: string; readonly name: string } | undefined;
}

/**
 * Reads plain keys from Secrets that are offered: of our type, with an annotation that lists the reader. Anything else
 * is not taken, whoever names it.
 */
export function secretLookup(find: (name: string) => KnownSecret, reader?: SecretReader): SecretLookup {
  return ({ name, key }, consumer) => {
    const secret = find(name);
    const wanted: Wanted = { name, key, namespace: reader?.namespace, readers: [`APIConsumer/${consumer}`] };
    if (secret === 'absent')
      return { reason: 'SecretNotFound', message: `There is no Secret "${name}" in this namespace: ${making(wanted)}` };
    if (secret === 'forbidden')
      return {
        reason: 'SecretsNotReadable',
        message: `The agent may not read the Secret "${name}"; that it may counts within half a minute: ${granting(name, reader)}`,
      };
    const value = dataOf(secret, key);
    const why = unusable(secret, wanted, value !== undefined);
    if (why !== undefined) return why;
    return value === undefined || value === 'no text'
      ? { reason: 'Invalid', message: `"${key}" of the Secret "${name}" is no text: quote it` }
      : value;
  };
}

/** All that is wrong with a Secret, and what mends it. What is not of our type is nobody's here: not even its keys are told. */
function unusable(
  secret: SourceObject,
  wanted: Wanted,
  hasKey: boolean,
): Exclude<ReturnType<SecretLookup>, Uint8Array> | undefined {
  const { type } = secret;
  const { name, key, readers } = wanted;
  const usedBy = readersOf(secret);
  const isOfType = type === SECRET_TYPE;
  const isOffered = readers.every((one) => usedBy.has(one));
  if (isOfType && isOffered && hasKey) return undefined;
  const wrong = [
    ...(isOfType ? [] : [`is of type "${type ?? 'Opaque'}", not ${SECRET_TYPE}`]),
    ...(isOffered ? [] : [`is not offered to ${readers.join()}`]),
    ...(isOfType && !hasKey ? [`has no data key "${key}"`] : []),
  ];
  const all = { ...wanted, readers: [...new Set([...usedBy, ...readers])] };
  const mend = isOfType ? mending(all, { isOffered, hasKey }) : remaking(all);
  const reason = isOfType && isOffered ? 'SecretNotFound' : 'SecretNotOffered';
  return { reason, message: `The Secret "${name}" ${wrong.join(', and ')}: ${mend}` };
}

/** The commands that let the agent read one Secret. The names are the agent's and the Secret's: neither takes another's. */
function granting(secret: string, reader: SecretReader | undefined): string {
  const { namespace: ofAgent, name: agent } = reader?.account ?? UNKNOWN_ACCOUNT;
  const name = `${reader?.account?.name ?? 'postern'}-reads-${secret}`;
  const create = `kubectl -n ${reader?.namespace ?? 'NAMESPACE'} create`;
  return [
    `${create} role ${name} --verb=get,list,watch --resource=secrets --resource-name=${secret}`,
    `${create} rolebinding ${name} --role=${name} --serviceaccount=${ofAgent}:${agent}`,
  ].join(' && ');
}

const UNKNOWN_ACCOUNT = { namespace: 'AGENT_NAMESPACE', name: 'AGENT_SERVICE_ACCOUNT' };

/** By Secret: an annotation may list many readers, and each key of each of them is looked up. */
const READERS = new WeakMap<SourceObject, ReadonlySet<string>>();

/** Who else is listed stays so; what names nobody is left out of a command that people copy. */
function readersOf(secret: SourceObject): ReadonlySet<string> {
  const known = READERS.get(secret);
  if (known !== undefined) return known;
  const usedBy: unknown = secret.metadata.annotations?.[USED_BY];
  const listed = typeof usedBy === 'string' ? usedBy.split(',').map((text) => text.trim()) : [];
  const readers = new Set(listed.filter((one) => READER.test(one)));
  READERS.set(secret, readers);
  return readers;
}

/** Files hold what they hold: a value that is no text is no key, whatever bytes could be made of it. */
function dataOf({ data, stringData }: SourceObject, key: string): Uint8Array | 'no text' | undefined {
  const plain = member(stringData, key);
  if (plain !== undefined) return typeof plain === 'string' ? Buffer.from(plain, 'utf8') : 'no text';
  const encoded = member(data, key);
  if (encoded === undefined) return undefined;
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : 'no text';
}
