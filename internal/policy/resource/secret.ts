import type { ProblemList } from '../../core/problem.ts';
import { glimpse } from './glimpse.ts';

/** Fields of a core/v1 Secret. */
export const SECRET_FIELDS: readonly string[] = [
  'apiVersion',
  'kind',
  'metadata',
  'type',
  'data',
  'stringData',
  'immutable',
];
/** Bytes that the API server lets all values of one Secret have together. */
const MAX_SECRET_BYTES = 1024 * 1024;
const DATA_KEY = /^[-._a-zA-Z0-9]{1,253}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Holds a Secret of a file to what the API server asks of one. Messages name data keys, never values. Whether it is
 * offered (its type and annotation) is judged where somebody names it.
 */
export function checkSecret(secret: Readonly<Record<string, unknown>>, problems: ProblemList): void {
  if (secret.type !== undefined && typeof secret.type !== 'string') {
    problems.at('type').error('Invalid', 'Must be text, as in "postern.dev/credential"');
  }
  const bytes =
    checkValues(secret.data, problems.at('data'), isBase64) + checkValues(secret.stringData, problems.at('stringData'));
  if (bytes > MAX_SECRET_BYTES) {
    problems.error('Invalid', `A Secret holds at most ${MAX_SECRET_BYTES} bytes`);
  }
}

function checkValues(values: unknown, problems: ProblemList, isValid?: (text: string) => boolean): number {
  if (values === undefined || values === null) return 0;
  if (typeof values !== 'object' || Array.isArray(values)) {
    problems.error('Invalid', 'Must be an object of texts');
    return 0;
  }
  let bytes = 0;
  for (const [key, value] of Object.entries(values)) {
    const at = problems.at(glimpse(key));
    if (!DATA_KEY.test(key)) at.error('Invalid', 'A data key has letters, digits, "-", "_" and ".", at most 253');
    else if (typeof value !== 'string') at.error('Invalid', 'Must be text: quote it');
    else if (isValid?.(value) === false) at.error('Invalid', 'Must be base64; plain text stands in stringData');
    else bytes += Buffer.byteLength(value);
  }
  return bytes;
}

/** Line breaks are ignored, as the API server ignores them (RFC 4648 §3.1 leaves that to the reader). */
function isBase64(text: string): boolean {
  const compact = text.replaceAll(/[\r\n]/g, '');
  return compact.length % 4 === 0 && BASE64.test(compact);
}
