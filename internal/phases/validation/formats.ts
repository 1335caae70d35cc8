import { isIPv4, isIPv6 } from 'node:net';

/** Formats of JSON Schema that a field can have. Each is judged in time linear in the text. */
export const FORMATS = ['uuid', 'date-time', 'date', 'email', 'hostname', 'ipv4', 'ipv6', 'uri'] as const;
export type Format = (typeof FORMATS)[number];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-](\d\d):(\d\d))$/;
const LOCAL_PART = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/;
/** Longest text of any of them but a URI: an address of mail (RFC 5321 §4.5.3.1). */
const MAX_LENGTH = 254;
const MAX_URI = 2048;

/** Whether a text is of a format: what readers may read as something else is of none. */
export function isOfFormat(format: Format, text: string): boolean {
  if (text.length > (format === 'uri' ? MAX_URI : MAX_LENGTH)) return false;
  switch (format) {
    case 'uuid':
      return UUID.test(text);
    case 'date-time':
      return isDateTime(text);
    case 'date':
      return isDate(text);
    case 'email':
      return isEmail(text);
    case 'hostname':
      return isHostname(text);
    case 'ipv4':
      return isIPv4(text);
    case 'ipv6':
      return isIPv6(text) && !text.includes('%');
    case 'uri':
      return URI.test(text);
  }
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (month === 2 && isLeap ? 29 : (DAYS[month - 1] ?? 0));
}

/** RFC 3339 §5.6, with a zone. A leap second is none to most readers, so it is none here. */
function isDateTime(text: string): boolean {
  const separator = text.charAt(10);
  if (separator !== 'T' && separator !== 't') return false;
  const [whole, hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0] = (TIME.exec(text.slice(11)) ?? []).map(
    (part) => (part === undefined ? 0 : Number(part)),
  );
  if (whole === undefined || !isDate(text.slice(0, 10))) return false;
  return hour <= 23 && minute <= 59 && second <= 59 && zoneHour <= 23 && zoneMinute <= 59;
}

/** A dot-atom and a host name: no quotes, comments or literals, which few readers read alike. */
function isEmail(text: string): boolean {
  const at = text.indexOf('@');
  return at > 0 && at <= 64 && LOCAL_PART.test(text.slice(0, at)) && isHostname(text.slice(at + 1));
}

const isHostname = (text: string): boolean => text.length <= 253 && text.split('.').every((label) => LABEL.test(label));
