import type { CaseRequest } from '../cases/run-case.ts';
import { documents, grantOf, namespaceOf, policyOf, type TenantAttack } from './tenant-attack.ts';

/** One request in a day, by the path: a second one is refused, unless somebody made the counter begin anew. */
const limit = (more = '', requests = 1): string =>
  `, rateLimits: [{name: daily, stage: BeforeAuthentication, key: [{expression: request.path}], rates: [{requests: ${requests}, window: 24h, algorithm: FixedWindow}]${more}}]`;
const bank = (name = 'p'): string => policyOf('bank', { name, target: '{hosts: [bank.test]}', rest: limit() });
const evil = (more = '', requests = 1, name = 'p'): string =>
  policyOf('evil', { name, target: '{hosts: [evil.test]}', rest: limit(more, requests) });

const ask = (host: string, path: string, id?: string): CaseRequest => ({ host, path, ...(id !== undefined && { id }) });
const flood = (count: number): CaseRequest[] => Array.from({ length: count }, (_, i) => ask('evil.test', `/${i}`));
const again = ask('bank.test', '/account');
const REFUSED = ['bank', 'rate_limited'] as const;

type Attack = Pick<TenantAttack, 'name' | 'applies' | 'asks' | 'decided'> & Partial<TenantAttack>;
const attack = (given: Attack): TenantAttack => ({ instance: {}, before: bank(), request: again, ...given });

export const TENANT_LIMITS: readonly TenantAttack[] = [
  attack({
    name: 'uses up a limit of the name and key of another’s',
    applies: evil(),
    asks: [ask('evil.test', '/account'), ask('evil.test', '/account')],
    decided: ['bank', 'allowed'],
  }),
  attack({
    name: 'uses up one by a policy of the very name of another’s',
    before: bank('shared'),
    applies: evil('', 1, 'shared'),
    asks: [ask('evil.test', '/account'), ask('evil.test', '/account')],
    decided: ['bank', 'allowed'],
  }),
  attack({
    name: 'floods keys until the counters of another begin anew',
    instance: { maxLimitKeys: 1000 },
    applies: evil(),
    asks: [again, ...flood(3000)],
    decided: REFUSED,
  }),
  attack({
    name: 'floods keys that refuse, which are spared longest',
    instance: { maxLimitKeys: 1000 },
    applies: evil(),
    asks: [again, ...flood(2000).flatMap((request) => [request, request])],
    decided: REFUSED,
  }),
  attack({
    name: 'floods keys by many policies with many limits each',
    instance: { maxLimitKeys: 1000 },
    applies: documents(
      ...Array.from({ length: 20 }, (_, i) =>
        policyOf('evil', { name: `p${i}`, target: `{hosts: [h${i}.evil.test]}`, rest: limit() }),
      ),
    ),
    asks: [again, ...Array.from({ length: 4000 }, (_, i) => ask(`h${i % 20}.evil.test`, `/${i}`))],
    decided: REFUSED,
  }),
  attack({
    name: 'floods keys by the limits that a baseline gives it',
    instance: { maxLimitKeys: 1000 },
    before: documents(
      bank(),
      `apiVersion: postern.dev/v1alpha1\nkind: APIBaseline\nmetadata: {name: platform}\nspec: {namespaceSelector: {}, overrides: {rateLimits: [{name: all, stage: BeforeAuthentication, key: [{expression: request.path}], rates: [{requests: 5, window: 24h, algorithm: FixedWindow}]}]}}\n`,
    ),
    applies: policyOf('evil', { target: '{hosts: [evil.test]}' }),
    asks: [again, ...flood(3000)],
    decided: REFUSED,
  }),
  attack({
    name: 'takes at a cost below nothing to give back what others took',
    applies: evil(', cost: {expression: "-1"}', 1000),
    asks: [again, ...flood(50)],
    decided: REFUSED,
  }),
  attack({
    name: 'takes at a cost that is no number of requests',
    applies: evil(', cost: {expression: "1e308"}', 1000),
    asks: [again, ...flood(50)],
    decided: REFUSED,
  }),
  attack({
    name: 'gives back by countDenied what another took',
    applies: policyOf('evil', {
      target: '{hosts: [evil.test]}',
      rules: '[{name: nobody, deny: {any: {}}}]',
      rest: limit(', countDenied: false', 1000),
    }),
    asks: [again, ask('evil.test', '/account'), ask('evil.test', '/account')],
    decided: REFUSED,
  }),
  attack({
    name: 'has a request of the id of another’s pass for a retry of it',
    applies: evil(),
    asks: [ask('bank.test', '/account', 'same'), ask('evil.test', '/account', 'same')],
    decided: REFUSED,
  }),
  attack({
    name: 'claims the host by a policy in Audit whose limit only counts',
    instance: { hostGrants: 'required', hasNamespaces: true },
    before: documents(
      namespaceOf('bank', '{team: bank}'),
      namespaceOf('evil', '{team: evil}'),
      grantOf('bank', '{hosts: [bank.test], namespaceSelector: {matchLabels: {team: bank}}}'),
      bank(),
    ),
    applies: policyOf('evil', { mode: 'Audit', target: '{hosts: [bank.test], paths: ["/account"]}', rest: limit() }),
    asks: [again],
    decided: REFUSED,
  }),
];
