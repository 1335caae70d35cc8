/** Longest evidence that is kept. */
export const MAX_EVIDENCE = 64;

/**
 * What matched, without what it says: every letter, and all that is not ASCII, becomes `a`, every digit `0`.
 * Punctuation stays, for it is what makes an attack. Evidence goes into logs, values never do.
 */
export function maskEvidence(text: string, start: number, end: number): string {
  let masked = '';
  const last = Math.min(end, start + MAX_EVIDENCE, text.length);
  for (let i = Math.max(0, start); i < last; i += 1) masked += maskUnit(text.charCodeAt(i));
  return masked;
}

function maskUnit(unit: number): string {
  if (unit >= 0x30 && unit <= 0x39) return '0';
  if (unit > 0x7e) return 'a';
  if (unit < 0x20) return ' ';
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? 'a' : String.fromCharCode(unit);
}
