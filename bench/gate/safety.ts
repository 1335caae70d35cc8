import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ALL_FAULTS, openFaults } from '../../test/attack/all-faults.ts';
import { pathDisagreements } from '../../test/attack/path-models.ts';
import { registerGaps } from '../../test/attack/register-gaps.ts';
import { sourcePoints } from '../../test/attack/source-points.ts';
import { callRaw, closeClients, decodeCheck, encodeCheck } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import { API_KEY, apiKeyPolicies, jwtPolicies, message } from '../policies.ts';
import { startPostern } from '../servers.ts';

const MUTANTS = 100_000;
const PATHS = 100_000;

/**
 * A check whose credential is gone or changed, and which is damaged besides: in bytes, fields, headers, path or token.
 * `h0` takes API keys, `h1` tokens.
 */
function mutant(index: number, token: string): Buffer {
  const kind = index % 7;
  const wrong = randomBytes(16).toString('base64url');
  if (kind === 0) return damaged(message('h0.example.org', {}));
  if (kind === 1) return damaged(message('h0.example.org', { 'x-api-key': wrong }));
  if (kind === 2)
    return encodeCheck({
      host: 'h0.example.org',
      path: randomPath(),
      headers: { 'x-api-key': `${API_KEY}${wrong.slice(0, 1)}` },
    });
  if (kind === 3)
    return encodeCheck({
      host: randomHost(),
      method: randomBytes(3).toString('latin1'),
      path: randomPath(),
      headers: { [randomBytes(4).toString('hex')]: API_KEY },
    });
  const host = `h${index % 2}.example.org`;
  if (kind === 4)
    return damaged(
      encodeCheck({ host, path: '/v1/orders/42', headers: { authorization: `Bearer ${wrong}.${wrong}.${wrong}` } }),
    );
  const headers = { authorization: `Bearer ${damagedToken(token)}` };
  if (kind === 5) return encodeCheck({ host: 'h1.example.org', path: '/v1/orders/42', headers });
  return damaged(encodeCheck({ host: 'h1.example.org', path: randomPath(), headers }));
}

/** The token with one of its parts changed, swapped, cut or gone; never the token itself. */
function damagedToken(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const other = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>;
  const forms = [
    () => `${header}.${other({ ...claims, sub: 'admin' })}.${signature}`,
    () => `${header}.${other({ ...claims, exp: 9_999_999_999 })}.${signature}`,
    () => `${other({ alg: 'none' })}.${payload}.`,
    () => `${other({ alg: 'HS256', kid: 'k1' })}.${payload}.${signature}`,
    () => `${other({ alg: 'ES256', kid: '' })}.${payload}.${signature.slice(0, -4)}AAAA`,
    () => `${header}.${payload}.`,
    () => `${header}.${payload}`,
    () => `${header}.${payload}.${signature}.${signature}`,
    () => `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    () => token.slice(0, 1 + Math.floor(Math.random() * (token.length - 2))),
    () => changedAt(token, Math.floor(Math.random() * token.length)),
  ];
  return forms[Math.floor(Math.random() * forms.length)]?.() ?? '';
}

/** Another character in one place; the last one of a part may hold bits that count for nothing, so it is not touched alone. */
function changedAt(token: string, at: number): string {
  const isTail = token[at + 1] === '.' || at === token.length - 1;
  const index = isTail ? at - 1 : at;
  const character = token[index] === 'A' ? 'B' : 'A';
  return `${token.slice(0, index)}${character}${token.slice(index + 1)}`;
}

function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const changes = 1 + Math.floor(Math.random() * 4);
  for (let i = 0; i < changes; i += 1) {
    const at = Math.floor(Math.random() * copy.length);
    copy[at] = Math.floor(Math.random() * 256);
  }
  if (Math.random() < 0.2) return copy.subarray(0, Math.floor(Math.random() * copy.length));
  return Math.random() < 0.1 ? Buffer.concat([copy, randomBytes(8)]) : copy;
}

const PIECES = ['/', 'v1', 'orders', '..', '.', '%2e', '%2f', ';', '%00', '//', 'é', '?', '#', '%', '\\', '42'];
const randomPath = (): string =>
  `/${Array.from({ length: 6 }, () => PIECES[Math.floor(Math.random() * PIECES.length)]).join('')}`;
const randomHost = (): string =>
  ['h0.example.org', 'H0.EXAMPLE.ORG.', 'h0.example.org:1', 'a,b', '', '[::1]', 'h0.example.org@x'][
    Math.floor(Math.random() * 7)
  ] ?? '';

export async function measureSafety(say: (line: string) => void): Promise<Figure[]> {
  const { yaml, token } = await jwtPolicies(1);
  const server = await startPostern(`${apiKeyPolicies(1)}\n---\n${yaml}`);
  let opened = 0;
  let crashed = 0;
  for (let start = 0; start < MUTANTS; start += 200) {
    const answers = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => callRaw(server.target, mutant(start + i, token))),
    );
    for (const answer of answers) {
      if (answer.status === 'rejected') crashed += 1;
      else if ((decodeCheck(answer.value).status?.code ?? 0) === 0) opened += 1;
    }
    if (start % 20_000 === 0) say(`  ${start} mutants`);
  }
  const survived = await callRaw(server.target, message('h0.example.org', { 'x-api-key': API_KEY }));
  if (decodeCheck(survived).status?.code !== 0) crashed += 1;
  const bearer = { authorization: `Bearer ${token}` };
  const verified = await callRaw(server.target, message('h1.example.org', bearer));
  if (decodeCheck(verified).status?.code !== 0) crashed += 1;
  readFileSync(`/proc/${server.pid}/status`);
  closeClients();
  await server.stop();
  const disagree = await pathDisagreements(PATHS);
  return [
    { key: 'mutants_open', value: opened, unit: 'allows', bar: '0', note: `of ${MUTANTS}` },
    { key: 'mutants_crash', value: crashed, unit: 'crashes', bar: '0', note: `of ${MUTANTS}` },
    {
      key: 'path_disagree',
      value: disagree.length,
      unit: 'paths',
      bar: '0',
      note: `of ${PATHS}${disagree.length === 0 ? '' : `: ${disagree.slice(0, 3).join(' ')}`}`,
    },
  ];
}

/**
 * Faults at every place where the program waits or asks what can fail, in this process: every one of the register. A
 * place that the register does not know counts as open.
 */
export async function measureFaults(say: (line: string) => void): Promise<Figure[]> {
  const points = sourcePoints(resolve(import.meta.dirname, '../..'));
  const gaps = registerGaps(points, new Set(ALL_FAULTS.map(({ at }) => at)));
  const open = await openFaults();
  for (const gap of gaps) say(`  ${gap}`);
  for (const { name, outcome } of open) say(`  ${name}: ${outcome}`);
  return [
    {
      key: 'faults_open',
      value: open.length + gaps.length,
      unit: 'allows',
      bar: '0',
      note: `${ALL_FAULTS.length} faults; ${points.length} places in internal/, each registered`,
    },
  ];
}
