/** Characters of it. */
export const MAX_GLIMPSE = 64;

/** A value inside a message or a field path: never more than a glimpse of it, for it may be a key that went astray. */
export function glimpse(value: unknown): string {
  const text = typeof value === 'object' && value !== null ? 'an object' : String(value);
  return text.length > MAX_GLIMPSE ? `${text.slice(0, MAX_GLIMPSE - 1)}…` : text;
}
