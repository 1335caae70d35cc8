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
    return (
      dataOf(secret, key) ?? { reason: 'SecretNotFound', message: `The Secret "${name}" has no data key "${key}"` }
    );
  };
}

function whyNotOffered({ type, metadata }: SourceObject, reader: string): string | undefined {
  if (type !== SECRET_TYPE) return `is of type "${type ?? 'Opaque'}": make it of type ${SECRET_TYPE}`;
  const readers = (metadata.annotations?.[USED_BY] ?? '').split(',').map((text) => text.trim());
  return readers.includes(reader) ? undefined : `is not offered to ${reader}: annotate it with ${USED_BY}=${reader}`;
}

function dataOf({ data, stringData }: SourceObject, key: string): Uint8Array | undefined {
  const plain = stringData !== undefined && Object.hasOwn(stringData, key) ? stringData[key] : undefined;
  if (plain !== undefined) return Buffer.from(plain, 'utf8');
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}
