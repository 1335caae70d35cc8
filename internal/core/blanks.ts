/** SP and HTAB, the only white space of HTTP (RFC 9110 §5.6.3): other blanks are part of a value, or two keys could be equal. */
export const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}
