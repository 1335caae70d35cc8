import { isLetter } from './characters.ts';
import { addressOf, isInward } from './odd-address.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'inward-address': { score: 5, from: 1 },
  'odd-address': { score: 5, from: 1 },
  'metadata-host': { score: 5, from: 1 },
  'inward-name': { score: 4, from: 1 },
  'odd-scheme': { score: 5, from: 1 },
  userinfo: { score: 4, from: 1 },
  'bare-address': { score: 3, from: 2 },
} as const satisfies Rules;

/** Where clouds keep a machine's credentials. */
const METADATA = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '100.100.100.200',
  'fd00:ec2::254',
  'metadata.google.internal',
  'metadata',
  'instance-data',
  'metadata.azure.com',
  '192.0.0.192',
  '168.63.129.16',
]);
const NAMES = new Set([
  'localhost',
  'localhost.localdomain',
  'ip6-localhost',
  'ip6-loopback',
  'kubernetes.default.svc',
  'kubernetes.default',
  'kubernetes',
  'host.docker.internal',
]);
/** Names under which anybody gets any address back. */
const ECHOING = [
  '.nip.io',
  '.sslip.io',
  '.xip.io',
  '.localtest.me',
  '.lvh.me',
  '.localhost',
  '.burpcollaborator.net',
  '.internal',
  '.svc.cluster.local',
];
const SCHEMES = new Set([
  'gopher',
  'dict',
  'ldap',
  'ldaps',
  'tftp',
  'jar',
  'netdoc',
  'expect',
  'phar',
  'ogg',
  'ssh2',
  'php',
  'sftp',
  'smb',
  'rmi',
]);
const LONGEST_HOST = 253;
const LONGEST_HEAD = 512;

/** Addresses in a value that a server would reach inwards when it fetched them, however they are spelt. */
export const serverSideRequestForgery: Detector = {
  kind: 'serverSideRequestForgery',
  rules: RULES,
  needs: TRAIT.slash | TRAIT.backslash | TRAIT.dot | TRAIT.colon,
  find(probe: Probe): undefined {
    const { text } = probe;
    lookAtStart(probe);
    for (let at = text.indexOf('//'); at !== -1; at = text.indexOf('//', behindSlashes(text, at)))
      lookAtAuthority(probe, at);
    if ((probe.traits & TRAIT.backslash) !== 0)
      for (let at = text.indexOf(':\\\\'); at !== -1; at = text.indexOf(':\\\\', behindSlashes(text, at + 1)))
        lookAtAuthority(probe, at + 1);
    probe.steps += text.length;
    lookAtWhole(probe);
  },
};

/**
 * A value that is an address, as URL parsers read one: without blanks before it and line ends and tabs inside, with
 * one slash, none, or backslashes behind the scheme.
 */
function lookAtStart(probe: Probe): void {
  const { text } = probe;
  const head = text
    .slice(0, LONGEST_HEAD)
    .replace(/[\t\n\r]/g, '')
    .trimStart();
  probe.steps += LONGEST_HEAD;
  const scheme = /^(?:(?:https?|ftp|wss?):|[\\/]{2})[\\/]*/.exec(head)?.[0];
  if (scheme === undefined) return;
  const authority = head.slice(scheme.length).split(/[/?#\\ "'<>]/, 1)[0] ?? '';
  judge(probe, hostOf(authority.slice(authority.lastIndexOf('@') + 1)), 0, scheme.length + authority.length);
}

/** Only a value that is an address by itself is one that is fetched; in a sentence, and in a document, it is spoken of. */
function lookAtAuthority(probe: Probe, slashes: number): void {
  const { text } = probe;
  const scheme = schemeBefore(text, slashes);
  const start = slashes - scheme.length - (scheme === '' ? 0 : 1);
  if (!isStart(text, start)) return;
  const from = behindSlashes(text, slashes);
  let end = from;
  while (end < text.length && end < from + 2 * LONGEST_HOST && !'/?#\\ "\'<>'.includes(text[end] ?? '')) end += 1;
  probe.steps += end - start;
  const authority = text.slice(from, end);
  if (SCHEMES.has(scheme)) probe.report('odd-scheme', start, end);
  if (scheme !== '' && !isFetched(scheme)) return;
  const at = authority.lastIndexOf('@');
  const host = hostOf(authority.slice(at + 1));
  judge(probe, host, start, end);
  // Parsers that take the first `@` or none see another host.
  if (at === -1) return;
  const user = authority.slice(0, at).split(/[:@]/, 1)[0] ?? '';
  if (user.includes('.') || judgesInward(user)) probe.report('userinfo', start, end);
}

const isFetched = (scheme: string): boolean =>
  scheme === 'http' ||
  scheme === 'https' ||
  scheme === 'ftp' ||
  scheme === 'ws' ||
  scheme === 'wss' ||
  scheme === 'url';

function behindSlashes(text: string, from: number): number {
  let at = from;
  while (text[at] === '/' || text[at] === '\\') at += 1;
  return at;
}

/** The value itself begins here, or a parameter or an argument inside it. */
const isStart = (text: string, start: number): boolean => {
  return start <= 0 || '=,'.includes(text[start - 1] ?? ' ');
};

function schemeBefore(text: string, slashes: number): string {
  if (text[slashes - 1] !== ':') return '';
  let start = slashes - 1;
  while (
    start > 0 &&
    slashes - start < 16 &&
    (isLetter(text.charCodeAt(start - 1)) || /[0-9+.-]/.test(text[start - 1] ?? ''))
  )
    start -= 1;
  return text.slice(start, slashes - 1);
}

/** Without port and trailing dots. */
function hostOf(authority: string): string {
  const bracket = authority.startsWith('[') ? authority.indexOf(']') : -1;
  const host = bracket === -1 ? (authority.split(':', 1)[0] ?? '') : authority.slice(0, bracket + 1);
  let end = host.length;
  while (end > 0 && (host[end - 1] === '.' || host[end - 1] === '\u3002')) end -= 1;
  return host.slice(0, end).replaceAll('\u3002', '.');
}

function judge(probe: Probe, host: string, start: number, end: number): void {
  const named = addressOf(host);
  if (METADATA.has(named?.address ?? host)) {
    probe.report('metadata-host', start, end);
    return;
  }
  if (named !== undefined) {
    if (named.isOdd) probe.report('odd-address', start, end);
    else if (isInward(named.address)) probe.report('inward-address', start, end);
    return;
  }
  if (NAMES.has(host) || ECHOING.some((suffix) => host.endsWith(suffix))) probe.report('inward-name', start, end);
}

const judgesInward = (host: string): boolean => {
  const named = addressOf(host);
  return named !== undefined && (named.isOdd || isInward(named.address));
};

/** An address and no more, as where a host is asked for. */
function lookAtWhole(probe: Probe): void {
  const { text } = probe;
  if (text.length > LONGEST_HOST || text.includes(' ') || text.includes('//')) return;
  const host = hostOf(text.split('/', 1)[0] ?? '');
  if (METADATA.has(host) && host.includes('.')) {
    probe.report('metadata-host', 0, text.length);
    return;
  }
  if (!host.includes('.') && !host.startsWith('[')) return;
  const named = addressOf(host);
  if (named !== undefined && isInward(named.address) && !named.isOdd) probe.report('bare-address', 0, text.length);
  else if (named?.isOdd === true && (host.includes('0x') || host.split('.').length === 4))
    probe.report('odd-address', 0, text.length);
}
