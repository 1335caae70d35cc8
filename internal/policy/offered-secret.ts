import { member } from '../core/member.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import type { SourceObject } from './object.ts';

const SECRET_TYPE = 'postern.dev/credential';
const USED_BY = 'postern.dev/used-by';

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
    if (secret === 'absent')
      return { reason: 'SecretNotFound', message: `There is no Secret "${name}" in this namespace` };
    if (secret === 'forbidden')
      return {
        reason: 'SecretsNotReadable',
        message: `The agent may not read the Secret "${name}": ${granting(name, reader)}`,
      };
    const consumed = `APIConsumer/${consumer}`;
    const why = whyNotOffered(secret, consumed);
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

function whyNotOffered({ type, metadata }: SourceObject, reader: string): string | undefined {
  if (type !== SECRET_TYPE) return `is of type "${type ?? 'Opaque'}": make it of type ${SECRET_TYPE}`;
  const usedBy: unknown = metadata.annotations?.[USED_BY];
  const readers = typeof usedBy === 'string' ? usedBy.split(',').map((text) => text.trim()) : [];
  return readers.includes(reader) ? undefined : `is not offered to ${reader}: annotate it with ${USED_BY}=${reader}`;
}

/** Files hold what they hold: a value that is no text is no key, whatever bytes could be made of it. */
function dataOf({ data, stringData }: SourceObject, key: string): Uint8Array | 'no text' | undefined {
  const plain = member(stringData, key);
  if (plain !== undefined) return typeof plain === 'string' ? Buffer.from(plain, 'utf8') : 'no text';
  const encoded = member(data, key);
  if (encoded === undefined) return undefined;
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : 'no text';
}
