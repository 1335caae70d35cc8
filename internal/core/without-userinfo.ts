/**
 * A URL as problems and the log may quote it: without a password, which whoever reads them is not to learn. What is no
 * URL may hide one anywhere before its last "@".
 */
export function withoutUserinfo(text: string): string {
  const url = URL.parse(text);
  if (url === null) return text.replace(/\/\/.*@/s, '//');
  if (url.username === '' && url.password === '') return text;
  url.username = '';
  url.password = '';
  return url.href;
}
