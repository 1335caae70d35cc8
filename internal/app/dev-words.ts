import { resolve } from 'node:path';
import { shortPath } from '../config/paths.ts';
import { addressText } from '../core/listen-address.ts';
import type { Agent } from './agent.ts';

/** What `postern dev` is asked to try. */
export interface Trial {
  /** Absolute. */
  readonly policies: string;
  readonly port: number;
  readonly say: (line: string) => void;
}

const SHIPPED = resolve(import.meta.dirname, '../../policies');
/** The keys of the sample policies; they are public. */
const PARTNER = 'pk_dev_partner_9c1f2e77a0b44d5f';
/** A partner of its own, so that asking too often shuts no other command out. */
const HASTY = 'pk_dev_hasty_7e42a9d06c8b3f15';
const GUEST = 'pk_dev_guest_51d0c7b3e8aa4c92';
const CURL = "curl -s -o /dev/null -w '%{http_code}\\n'";

/** Says what runs, and what to try. */
export function sayReady({ port, say, policies }: Trial, agent: Agent): void {
  const url = `http://localhost:${port}`;
  say(`Postern decides by ${shortPath(policies)}/, behind Envoy on ${url}. Try, in another terminal:`);
  say('');
  for (const line of policies === SHIPPED ? sampleCurls(url) : ownCurls(url, agent)) say(`  ${line}`);
  say('');
  say(`Metrics: http://${addressText(agent.adminAddress)}/metrics`);
  if (agent.debugAddress !== undefined) say(`Loaded:  http://${addressText(agent.debugAddress)}/debug/policies`);
  say('Every refusal is a line below. Change a file, and it counts at once. Ctrl-C stops.');
}

const sampleCurls = (url: string): readonly string[] => [
  `${CURL} -H 'x-api-key: ${PARTNER}' ${url}/v1/orders/7   # 200: a partner`,
  `${CURL} ${url}/v1/orders/7   # 401: nobody`,
  `${CURL} -H 'x-api-key: ${GUEST}' ${url}/v1/orders/7   # 403: a guest`,
  `${CURL} -H 'x-api-key: ${HASTY}' '${url}/v1/orders/[1-6]'   # … 429: too often`,
];

/** Of somebody else's policies, a request that one of them governs. */
function ownCurls(url: string, agent: Agent): readonly string[] {
  const governed = agent.reports().flatMap(({ hosts, object }) => hosts.map((host) => ({ host, spec: object.spec })));
  const [first] = governed.sort((a, b) => (a.host < b.host ? -1 : 1));
  if (first === undefined) return [`curl -i ${url}/`, 'No policy that is loaded holds a host: everything is denied.'];
  const host = first.host.replace(/^\*/, 'www');
  return [
    `curl -i -H 'host: ${host}' ${quoted(url + pathIn(first.spec))}`,
    `Hosts: ${[...new Set(governed.map((one) => one.host))].join(', ')}`,
  ];
}

/** A path below the first of a target's templates. */
function pathIn(spec: unknown): string {
  const { target } = (spec ?? {}) as { readonly target?: { readonly paths?: readonly unknown[] } };
  const [template = '/**'] = target?.paths ?? [];
  return (
    String(template)
      .replace(/\/\*\*$/, '')
      .replaceAll(/\{[^{}]*\}/g, '1') || '/'
  );
}

/** A word as a shell reads it. */
const quoted = (word: string): string => (/^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** Says why there is no Envoy, how to get one, and how to see the same decisions without it. */
export function sayWithoutEnvoy({ say, policies }: Trial, { missing, advice }: Missing): void {
  const path = shortPath(policies);
  const check = `npm run -s policy -- check --policies ${quoted(path)}`;
  say(`${advice}: ${missing}.`);
  say('The same decisions, without Envoy:');
  say('');
  const sample = [` -H 'x-api-key: ${PARTNER}'`, '', ` -H 'x-api-key: ${GUEST}'`];
  const asked = sample.map((header) => `${header} http://localhost/v1/orders/7`);
  for (const words of policies === SHIPPED ? asked : [' http://localhost/']) say(`  ${check}${words}`);
}

interface Missing {
  readonly missing: string;
  readonly advice: string;
}
