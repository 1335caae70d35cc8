import { cpuUsage } from 'node:process';
import { inOneGo } from '../../internal/core/breather.ts';
import { type Place, type ScanOptions, scan } from '../../internal/threats/scan.ts';
import { scanPlaces } from '../../internal/threats/scan-places.ts';
import { THREAT_KINDS, type ThreatKind } from '../../internal/threats/threat.ts';
import type { Figure } from '../figures.ts';
import { documentLines, ordinaryValues } from './benign-values.ts';
import { type CrsCase, obtainCrs, readCrs } from './crs-requests.ts';
import { hardValues } from './hard-values.ts';

const ALL: ScanOptions = { kinds: THREAT_KINDS, sensitivity: 1, exclusions: [] };
const BODY: Place = { in: 'body', name: '/a' };
const ROUNDS = 5;

/** The built-in detectors: what they find of CRS's regression requests, what they find in honest values, how long they take. */
export async function measureDetectors(say: (line: string) => void): Promise<Figure[]> {
  const crs = await obtainCrs();
  const sql = shares(readCrs(crs, '942-APPLICATION-ATTACK-SQLI'), 'sqlInjection');
  const xss = shares(readCrs(crs, '941-APPLICATION-ATTACK-XSS'), 'crossSiteScripting');
  const ordinary = [...new Set([...(await ordinaryValues()).values()].flat())];
  const lines = await documentLines();
  const hard = [...new Set([...hardValues(), ...lines])];
  say(
    `${ordinary.length} ordinary values, ${hard.length} hard ones, of which ${hard.length - lines.length} are written for it`,
  );
  return [
    figure('sqli_pl1', sql.first, 'share', '>= 0.90', 'kind sqlInjection alone, whole requests, CRS 4.25.0'),
    figure('sqli_all', sql.attacks, 'share', '>= 0.75'),
    figure('sqli_false', sql.others, 'share', '<= 0.09'),
    figure('xss_all', xss.attacks, 'share', '>= 0.95', 'kind crossSiteScripting alone'),
    figure('xss_false', xss.others, 'share', '<= 0.10'),
    figure('benign_false', shareHit(ordinary, say), 'share', '<= 0.0002', `${ordinary.length} values, all kinds`),
    figure(
      'hard_false',
      Math.max(shareHit(hardValues(), say), shareHit(lines, say)),
      'share',
      '<= 0.02',
      'the worse of those written for it and lines of READMEs',
    ),
    figure(
      'detector_us',
      microseconds(ordinary),
      'µs',
      '<= 10',
      'processor time per ordinary value, all kinds, best of 5 rounds',
    ),
  ];
}

function figure(key: string, value: number, unit: string, bar: string, note?: string): Figure {
  return { key, value: Number(value.toPrecision(4)), unit, bar, ...(note === undefined ? {} : { note }) };
}

/** Which part of a rule file's requests one kind hits: attacks of paranoia level 1, all attacks, and what is none. */
function shares(cases: readonly CrsCase[], kind: ThreatKind): { first: number; attacks: number; others: number } {
  const isHit = ({ values }: CrsCase): boolean => inOneGo(scanPlaces(values, { ...ALL, kinds: [kind] })).length > 0;
  const share = (some: readonly CrsCase[]): number => some.filter(isHit).length / some.length;
  const attacks = cases.filter(({ isAttack }) => isAttack);
  return {
    first: share(attacks.filter(({ paranoia }) => paranoia === 1)),
    attacks: share(attacks),
    others: share(cases.filter(({ isAttack }) => !isAttack)),
  };
}

const MOST_TOLD = 20;

function shareHit(values: readonly string[], say: (line: string) => void): number {
  const hit = values.filter((value) => scan(value, BODY, ALL).length > 0);
  for (const value of hit.slice(0, MOST_TOLD)) {
    const rules = scan(value, BODY, ALL).map(({ kind, rule }) => `${kind}/${rule}`);
    say(`  ${rules.join(' ')}: ${JSON.stringify(value).slice(0, 120)}`);
  }
  return hit.length / values.length;
}

function microseconds(values: readonly string[]): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = cpuUsage();
    for (const value of values) scan(value, BODY, ALL);
    const { user, system } = cpuUsage(before);
    return (user + system) / values.length;
  });
  return Math.min(...rounds);
}
