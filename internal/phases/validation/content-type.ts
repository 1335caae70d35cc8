import type { HeaderFields } from '../../core/attributes.ts';

/** What a request says of its body. */
export interface ContentType {
  /** `type/subtype` in lower case. */
  readonly media: string;
  /** By lower-case name, quotes taken off. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MEDIA = /^[!#$%&'*+.^_`|~0-9a-z-]{1,127}\/[!#$%&'*+.^_`|~0-9a-z-]{1,127}$/;
const PARAMETER = /^([!#$%&'*+.^_`|~0-9a-z-]{1,127})=([!#$%&'*+.^_`|~0-9A-Za-z-]+|"[^"\\]*")$/i;
const NONE: ReadonlyMap<string, string> = new Map();
/** Most that is looked at: what is longer has no one reading. */
const MAX_LENGTH = 1024;

/**
 * The one Content-Type of a request (RFC 9110 §8.3), or that there is none, or that the door is not told. Several of them, a parameter that is repeated and what a
 * lenient reader would mend are no reading: who judges by one type must not be served by another.
 *
 * @returns undefined when it has no one reading
 */
export function contentTypeOf(headers: HeaderFields): ContentType | 'none' | 'untold' | undefined {
  const lines = headers.get('content-type');
  if (lines === undefined) return headers.untold.has('content-type') ? 'untold' : 'none';
  const [line = ''] = lines;
  if (lines.length > 1 || line.length > MAX_LENGTH) return undefined;
  return line === '' ? 'none' : parse(line);
}

function parse(line: string): ContentType | undefined {
  const [media = '', ...rest] = line.split(';').map((part) => part.replace(BLANKS, ''));
  if (!MEDIA.test(media.toLowerCase())) return undefined;
  if (rest.length === 0) return { media: media.toLowerCase(), parameters: NONE };
  const parameters = new Map<string, string>();
  for (const part of rest) {
    if (part === '') continue;
    const [, name, value] = PARAMETER.exec(part) ?? [];
    if (name === undefined || value === undefined || parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), value.startsWith('"') ? value.slice(1, -1) : value);
  }
  return { media: media.toLowerCase(), parameters };
}

/** Around the parts: bounded, for a pattern that begins with blanks is tried at each of them. */
const BLANKS = /^[ \t]{1,64}|[ \t]{1,64}$/g;

/** RFC 8259 §11 and RFC 6839 §3.1; `text/json` is what some clients still write. */
export const isJson = ({ media }: ContentType): boolean =>
  media === 'application/json' || media === 'text/json' || media.endsWith('+json');

/** WHATWG URL, application/x-www-form-urlencoded. */
export const isForm = ({ media }: ContentType): boolean => media === 'application/x-www-form-urlencoded';

export const isMultipart = ({ media }: ContentType): boolean => media.startsWith('multipart/');

const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;

/** What parts a multipart body (RFC 2046 §5.1.1); undefined where the type does not say. */
export function boundaryOf({ parameters }: ContentType): string | undefined {
  const boundary = parameters.get('boundary');
  return boundary !== undefined && BOUNDARY.test(boundary) ? boundary : undefined;
}

/** A GraphQL document itself, and not JSON that holds one. */
export const isGraphql = ({ media }: ContentType): boolean => media === 'application/graphql';

/** RFC 7303. */
export const isXml = ({ media }: ContentType): boolean =>
  media === 'application/xml' || media === 'text/xml' || media.endsWith('+xml');

/** JSON is UTF-8 (RFC 8259 §8.1), of which ASCII is a part: another charset is another text for whoever believes it. */
export function isUtf8({ parameters }: ContentType): boolean {
  const charset = parameters.get('charset')?.toLowerCase();
  return charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}
