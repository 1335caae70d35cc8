const PLAIN = /^[\x20-\x7e]*\n?$/;
/**
 * What a terminal, a log shipper or a reader takes for something else: C1 controls and DEL, line and paragraph
 * separators, format characters (bidi, zero width, tags), lone surrogates, private and unassigned code points.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/gu;

/**
 * One JSON record as one line that shows what it holds. JSON itself leaves U+2028, DEL, C1 and bidi characters as they
 * are; outside its strings a record is ASCII, so each can be written as an escape in place.
 *
 * @param record JSON text, with or without its final line feed
 */
export function oneLine(record: string): string {
  if (PLAIN.test(record)) return record;
  const body = record.endsWith('\n') ? record.slice(0, -1) : record;
  return `${body.replace(UNSAFE, escapeUnits)}${body.length < record.length ? '\n' : ''}`;
}

function escapeUnits(character: string): string {
  let text = '';
  for (let i = 0; i < character.length; i += 1) {
    text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  }
  return text;
}
