import { isWordUnit } from './characters.ts';
import type { Detector, Probe, Rules } from './threat.ts';
import { TRAIT } from './traits.ts';

const RULES = {
  'injected-header': { score: 5, from: 1 },
  'injected-message': { score: 5, from: 1 },
  'line-end': { score: 3, from: 2 },
} as const satisfies Rules;

const HEADERS: ReadonlySet<string> = new Set([
  'set-cookie',
  'location',
  'content-type',
  'content-length',
  'transfer-encoding',
  'host',
  'refresh',
  'link',
  'connection',
  'x-forwarded-for',
  'x-forwarded-host',
  'content-disposition',
  'content-encoding',
  'cache-control',
  'bcc',
  'cc',
  'to',
  'from',
  'reply-to',
  'mime-version',
  'access-control-allow-origin',
  'x-xss-protection',
  'cookie',
  'authorization',
  'last-modified',
  'date',
  'server',
]);
const MAIL: ReadonlySet<string> = new Set([
  'to',
  'from',
  'cc',
  'date',
  'host',
  'link',
  'server',
  'location',
  'connection',
]);

/** Line ends with a header's or a message's beginning behind them. In a body a text of several lines is honest. */
export const headerInjection: Detector = {
  kind: 'headerInjection',
  rules: RULES,
  needs: TRAIT.control,
  find(probe: Probe): undefined {
    const { text } = probe;
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit !== 0x0d && unit !== 0x0a) continue;
      lookBehindLineEnd(probe, at);
      if (probe.place !== 'body') probe.report('line-end', at, at + 8);
    }
    probe.steps += text.length;
  },
};

function lookBehindLineEnd(probe: Probe, at: number): void {
  const { text } = probe;
  let start = at + 1;
  while (start < at + 4 && (text.charCodeAt(start) === 0x0a || text.charCodeAt(start) === 0x0d)) start += 1;
  if (text.startsWith('http/1.', start)) {
    probe.report('injected-message', at, start + 12);
    return;
  }
  let end = start;
  while (end < start + 40 && (isWordUnit(text.charCodeAt(end)) || text[end] === '-')) end += 1;
  const name = text.slice(start, end);
  if (text[end] !== ':' || !HEADERS.has(name)) return;
  // A letter in a body is written so too.
  if (probe.place === 'body' && (MAIL.has(name) || !text.includes('\r'))) return;
  probe.report('injected-header', at, end + 16);
}
