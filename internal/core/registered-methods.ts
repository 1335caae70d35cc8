/** The HTTP Method Registry of IANA; and PURGE of caches, which is in none. */
const REGISTERED: ReadonlySet<string> = new Set([
  'ACL',
  'BASELINE-CONTROL',
  'BIND',
  'CHECKIN',
  'CHECKOUT',
  'CONNECT',
  'COPY',
  'DELETE',
  'GET',
  'HEAD',
  'LABEL',
  'LINK',
  'LOCK',
  'MERGE',
  'MKACTIVITY',
  'MKCALENDAR',
  'MKCOL',
  'MKREDIRECTREF',
  'MKWORKSPACE',
  'MOVE',
  'OPTIONS',
  'ORDERPATCH',
  'PATCH',
  'POST',
  'PROPFIND',
  'PROPPATCH',
  'PURGE',
  'PUT',
  'QUERY',
  'REBIND',
  'REPORT',
  'SEARCH',
  'TRACE',
  'UNBIND',
  'UNCHECKOUT',
  'UNLINK',
  'UNLOCK',
  'UPDATE',
  'UPDATEREDIRECTREF',
  'VERSION-CONTROL',
]);

/**
 * The registered method that some upstreams take this one for. Methods are case-sensitive (RFC 9110 §9.1), but there
 * are frameworks (Werkzeug) that write them in capitals, and Envoy hands them on as sent: `delete` would evade a deny.
 */
export function mistakenFor(method: string): string | undefined {
  if (REGISTERED.has(method)) return undefined;
  const upper = method.toUpperCase();
  return REGISTERED.has(upper) ? upper : undefined;
}
