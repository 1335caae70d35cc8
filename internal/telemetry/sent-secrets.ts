import type { Attributes, HeaderFields } from '../core/attributes.ts';
import type { Carrier } from '../core/evaluation.ts';
import type { Checked } from '../policy/checked.ts';
import { isSecretName, MIN_SECRET } from './redact.ts';

/** Most values that one record is searched for. */
const MAX_SECRETS = 32;

/**
 * What a request holds in the places for credentials: those that its policy reads or, where no policy was found, those
 * whose name says so; and in headers whose values its policy keeps out of the log. Also what was refused there, and
 * what nobody looked at: clients send keys twice, in two places at once, and on malformed requests. Longest first, so
 * that none leaves a part of another behind.
 */
export function sentSecrets({ request, policy, evaluation }: Checked, attributes: Attributes | undefined): string[] {
  const found = new Set<string>();
  const credential = evaluation?.credential?.value;
  if (credential !== undefined) found.add(credential);
  const headers = request?.headers ?? attributes?.headers;
  const carriers = policy?.carriers;
  if (headers !== undefined) for (const value of headerSecrets(headers, carriers)) found.add(value);
  const reads = (name: string): boolean =>
    carriers?.some((carrier) => carrier.kind === 'query' && carrier.name === name) ?? isSecretName(name);
  if (headers !== undefined)
    for (const name of policy?.redactedHeaders ?? []) for (const value of fieldValues(headers, name)) found.add(value);
  for (const [name, value] of parameters(attributes?.target ?? '')) if (reads(name)) found.add(value);
  for (const [name, values] of request?.query ?? []) if (reads(name)) for (const value of values) found.add(value);
  return [...found]
    .filter((value) => value.length >= MIN_SECRET)
    .sort((a, b) => b.length - a.length)
    .slice(0, MAX_SECRETS);
}

function* headerSecrets(headers: HeaderFields, carriers: readonly Carrier[] | undefined): Generator<string> {
  if (carriers === undefined) {
    for (const name of headers.names()) {
      if (name === 'cookie') yield* cookieValues(headers, () => true);
      else if (isSecretName(name)) yield* fieldValues(headers, name);
    }
    return;
  }
  for (const { kind, name } of carriers) {
    if (kind === 'header') yield* fieldValues(headers, name);
    else if (kind === 'authorizationScheme') yield* fieldValues(headers, 'authorization');
    else if (kind === 'cookie') yield* cookieValues(headers, (cookie) => cookie === name);
  }
}

/** A value as it stands, each of those that Envoy may have joined with a comma, and each without a scheme in front. */
function* fieldValues(headers: HeaderFields, name: string): Generator<string> {
  for (const line of headers.get(name) ?? []) {
    for (const part of line.includes(',') ? [line, ...line.split(',', MAX_SECRETS)] : [line]) {
      const value = part.trim();
      yield value;
      const blank = value.search(/[ \t]/);
      if (blank !== -1) yield value.slice(blank).trim();
    }
  }
}

function* cookieValues(headers: HeaderFields, isRead: (cookie: string) => boolean): Generator<string> {
  for (const line of headers.get('cookie') ?? []) {
    for (const pair of line.split(/[;,]/, MAX_SECRETS)) {
      const equals = pair.indexOf('=');
      if (equals !== -1 && isRead(pair.slice(0, equals).trim())) yield pair.slice(equals + 1).trim();
    }
  }
}

/** Parameters of a target as they stand, for requests that could not be read. */
function* parameters(target: string): Generator<readonly [name: string, value: string]> {
  const mark = target.indexOf('?');
  if (mark === -1) return;
  for (const pair of target.slice(mark + 1).split('&', MAX_SECRETS)) {
    const equals = pair.indexOf('=');
    if (equals !== -1) yield [pair.slice(0, equals), pair.slice(equals + 1)];
  }
}
