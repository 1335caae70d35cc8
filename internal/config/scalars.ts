import { durationHint, parseDurationMs } from '../core/duration.ts';
import { parseQuantity } from '../core/quantity.ts';
import { type Parsed, parsed, refused } from './option.ts';

const LABEL_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const CONTROL = /\p{Cc}/u;
const LABEL_KEY = '([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
const LABEL_VALUE = '([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?';
/** One requirement of a Kubernetes label selector: equality, set, or existence. */
const REQUIREMENT = new RegExp(
  `^(!?${LABEL_KEY}|${LABEL_KEY} ?(=|==|!=) ?${LABEL_VALUE}|${LABEL_KEY} (in|notin) \\(${LABEL_VALUE}( ?, ?${LABEL_VALUE})*\\))$`,
);

/** One of a closed set of words. */
export const choice =
  <T extends string>(...words: readonly T[]) =>
  (text: string): Parsed<T> => {
    const word = words.find((known) => known === text);
    return word === undefined ? refused(`is not one of ${words.join(', ')}`) : parsed(word);
  };

/** A switch: a flag without a value means `true`. */
export function switched(text: string): Parsed<boolean> {
  if (text === 'true') return parsed(true);
  return text === 'false' ? parsed(false) : refused('is not true or false');
}

/** A duration in milliseconds, GEP-2257, between two bounds that are durations too. */
export const durationMs =
  (least: string, most: string) =>
  (text: string): Parsed<number> => {
    const value = parseDurationMs(text);
    if (value === undefined) return refused(durationHint(text).replace(`"${text}" `, ''));
    if (value < (parseDurationMs(least) ?? 0) || value > (parseDurationMs(most) ?? 0)) {
      return refused(`is out of range: write a duration from ${least} to ${most}`);
    }
    return parsed(value);
  };

/** A whole number between two bounds, digits only. */
export const count =
  (least: number, most: number) =>
  (text: string): Parsed<number> => {
    const value = /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? parsed(value) : refused(`is not a whole number from ${least} to ${most}`);
  };

/** Bytes as a quantity, as in `4Mi`. */
export const bytes =
  (least: number, most: number) =>
  (text: string): Parsed<number> => {
    const value = parseQuantity(text);
    if (value === undefined) return refused('is not a size: write bytes, or a quantity such as "64Ki" or "4Mi"');
    return value >= least && value <= most
      ? parsed(value)
      : refused(`is out of range: write a size from ${least} to ${most} bytes`);
  };

/** A path of this machine, as it is written. */
export function filePath(text: string): Parsed<string> {
  return CONTROL.test(text) ? refused('is not a path: it holds a control character') : parsed(text);
}

/** Name of a Kubernetes namespace or of a class (RFC 1123 label). */
export function labelName(text: string): Parsed<string> {
  return LABEL_NAME.test(text)
    ? parsed(text)
    : refused('is not a name: write lower-case letters, digits and "-", at most 63');
}

/** Several names, separated by commas, each once. */
export function labelNames(text: string): Parsed<readonly string[]> {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !LABEL_NAME.test(name));
  const hint = 'write their names separated by commas';
  if (wrong === text) return refused(`is no list of namespaces: ${hint}`);
  if (wrong !== undefined) return refused(`names "${wrong}", which is no namespace: ${hint}`);
  return parsed(Object.freeze([...new Set(names)]));
}

/** A label selector as the API server reads it (`app=orders,tier in (web,api)`). */
export function labelSelector(text: string): Parsed<string> {
  const requirements = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  const wrong = requirements.find((part) => !REQUIREMENT.test(part));
  if (wrong === undefined) return parsed(text);
  const what = wrong === text ? 'is' : `holds "${wrong}", which is`;
  return refused(`${what} no label selector: write one as in "team=shop"`);
}

/** An issuer's URL: https, exact, compared as text. */
export function issuerUrl(text: string): Parsed<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.protocol === 'https:' && url.username === '' && url.password === '' && url.search === '';
  return isPlain && url.hash === '' ? parsed(text) : refused('is not an https URL without user, query and fragment');
}
