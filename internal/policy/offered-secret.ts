import type { SecretLookup } from '../phases/authn/consumers.ts';
import type { SourceObject } from './object.ts';

export const SECRET_TYPE = 'postern.dev/credential';
export const USED_BY = 'postern.dev/used-by';

/** What is known of a Secret that somebody names: the object, that there is none, or that it may not be read. */
export type KnownSecret = SourceObject | 'absent' | 'forbidden';

/**
 * Reads plain keys from Secrets that are offered: of our type, with an annotation that lists the reader. Anything else
 * is not taken, whoever names it.
 */
export function secretLookup(find: (name: string) => KnownSecret): SecretLookup {
  return ({ name, key }, consumer) => {
    const secret = find(name);
    if (secret === 'absent')
      return { reason: 'SecretNotFound', message: `There is no Secret "${name}" in this namespace` };
    if (secret === 'forbidden') {
      const command = `kubectl create role postern-secrets --verb=get,list,watch --resource=secrets --resource-name=${name}`;
      return {
        reason: 'SecretsNotReadable',
        message: `The agent may not read the Secret "${name}": ${command}, and bind it to the agent's ServiceAccount`,
      };
    }
    const reader = `APIConsumer/${consumer}`;
    const why = whyNotOffered(secret, reader);
    if (why !== undefined) return { reason: 'SecretNotOffered', message: `The Secret "${name}" ${why}` };
    const value = dataOf(secret, key);
    if (value === undefined) {
      return { reason: 'SecretNotFound', message: `The Secret "${name}" has no data key "${key}"` };
    }
    return value === 'no text'
      ? { reason: 'Invalid', message: `"${key}" of the Secret "${name}" is no text: quote it` }
      : value;
  };
}

function whyNotOffered({ type, metadata }: SourceObject, reader: string): string | undefined {
  if (type !== SECRET_TYPE) return `is of type "${type ?? 'Opaque'}": make it of type ${SECRET_TYPE}`;
  const usedBy: unknown = metadata.annotations?.[USED_BY];
  const readers = typeof usedBy === 'string' ? usedBy.split(',').map((text) => text.trim()) : [];
  return readers.includes(reader) ? undefined : `is not offered to ${reader}: annotate it with ${USED_BY}=${reader}`;
}

/** Files hold what they hold: a value that is no text is no key, whatever bytes could be made of it. */
function dataOf({ data, stringData }: SourceObject, key: string): Uint8Array | 'no text' | undefined {
  const plain = valueIn(stringData, key);
  if (plain !== undefined) return typeof plain === 'string' ? Buffer.from(plain, 'utf8') : 'no text';
  const encoded = valueIn(data, key);
  if (encoded === undefined) return undefined;
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : 'no text';
}

function valueIn(values: unknown, key: string): unknown {
  return typeof values === 'object' && values !== null && Object.hasOwn(values, key)
    ? (values as Readonly<Record<string, unknown>>)[key]
    : undefined;
}
