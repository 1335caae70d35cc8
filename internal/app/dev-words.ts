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
  `${CURL} -H 'x-api-key: ${PARTNER}' '${url}/v1/orders/[1-6]'   # … 429: too often`,
];

/** Of somebody else's policies only their hosts are known. */
function ownCurls(url: string, agent: Agent): readonly string[] {
  const hosts = [...new Set(agent.reports().flatMap((report) => report.hosts))].sort();
  const host = hosts[0]?.replace(/^\*/, 'www') ?? 'localhost';
  return [
    `curl -i -H 'host: ${host}' ${url}/`,
    '',
    hosts.length === 0 ? 'No policy that is loaded holds a host: everything is denied.' : `Hosts: ${hosts.join(', ')}`,
  ];
}

/** Says why there is no Envoy, how to get one, and how to see the same decisions without it. */
export function sayWithoutEnvoy({ say, policies }: Trial, { missing, advice }: Missing): void {
  const path = shortPath(policies);
  const check = `npm run -s policy -- check --policies ${/^[\w./-]+$/.test(path) ? path : `'${path}'`}`;
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
