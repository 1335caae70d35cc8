const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*(.*)$/;
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const VALUE = `(?:"[^"\\\\]*"|${TOKEN})`;
const DISPOSITION = new RegExp(`^${TOKEN}(?:[ \\t]*;[ \\t]*(?:name|filename)=${VALUE}){0,2}[ \\t]*$`, 'i');
const NAME = /;[ \t]*name=/gi;
const FILE_NAME = /;[ \t]*filename=/gi;
const MAX_LINES = 8;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * Whether all readers read the headers of a part alike: each line whole and once, one name, one file name and that not in
 * another spelling (`filename*`), no parts in the part, and its bytes as they stand.
 *
 * @param head lines between CRLFs, one character for each byte
 */
export function isPartHead(head: string): boolean {
  if (head === '') return false;
  const lines = head.split('\r\n', MAX_LINES + 1);
  if (lines.length > MAX_LINES) return false;
  const names = new Set<string>();
  for (const line of lines) {
    const [, name = '', value = ''] = LINE.exec(line) ?? [];
    const field = name.toLowerCase();
    if (field === '' || names.has(field) || CONTROL.test(value) || !isTaken(field, value)) return false;
    names.add(field);
  }
  return names.has('content-disposition');
}

function isTaken(field: string, value: string): boolean {
  if (field === 'content-disposition') return isDisposition(value);
  if (field === 'content-type') return !/^[ \t]*multipart\//i.test(value);
  return field !== 'content-transfer-encoding' || /^(?:7bit|8bit|binary)[ \t]*$/i.test(value);
}

function isDisposition(value: string): boolean {
  if (!DISPOSITION.test(value)) return false;
  // Inside of quotes there may be one more: such a name is no name either.
  return count(value, NAME) === 1 && count(value, FILE_NAME) <= 1;
}

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;
