import type { Instance } from '../cases/run-case.ts';
import { documents, grantOf, namespaceOf, policyOf, type TenantAttack } from './tenant-attack.ts';
import { evilPolicy, FROM_CLUSTER, forged, forgedNewest } from './tenant-objects.ts';

const REQUIRED: Instance = { ...FROM_CLUSTER, hostGrants: 'required', hasNamespaces: true };
const FIRST_COME: Instance = { ...FROM_CLUSTER, hostGrants: 'first-come' };
const to = (team: string): string => `namespaceSelector: {matchLabels: {team: ${team}}}`;
const PLATFORM = documents(
  namespaceOf('bank', '{team: bank}'),
  namespaceOf('evil', '{team: evil}'),
  grantOf('bank', `{hosts: [bank.test], ${to('bank')}}`),
  grantOf('evil', `{hosts: [evil.test], ${to('evil')}}`),
);
const CLOSED = '[{name: nobody, allow: {groups: [nobody]}}]';
const BANK = policyOf('bank', { target: '{hosts: [bank.test]}', rules: CLOSED });
const AUDIT = { rest: { mode: 'Audit' } };
const instances = { instances: [{ className: 'postern', hosts: ['bank.test'], conditions: [] }] };

const forgeries = {
  'that it holds the host': evilPolicy({ hosts: ['bank.test'], status: { hosts: ['bank.test'] } }),
  'that its newest spec was accepted for it': forgedNewest(['bank.test']),
  'that an older spec was accepted for it': forged(['bank.test']),
  'that one was accepted in Audit for it': forged(['bank.test'], AUDIT),
  'that one was accepted for all above it': forged(['*.test']),
  'that its other host was accepted with it': forgedNewest(['evil.test', 'bank.test']),
  'that an instance found it right': forgedNewest(['bank.test'], { status: instances }),
  'that it was there first': forgedNewest(['bank.test'], { created: '2001-01-01T00:00:00Z' }),
} as const;

type Attack = Pick<TenantAttack, 'name' | 'objects'> & Partial<TenantAttack>;
const attack = (given: Attack): TenantAttack => ({
  instance: REQUIRED,
  before: documents(PLATFORM, BANK),
  applies: '',
  request: { host: 'bank.test' },
  decided: ['bank', 'not_allowed'],
  ...given,
});

const forgedAccepted = (accepted: object, name: string): TenantAttack =>
  attack({
    name,
    objects: [{ ...forged(['bank.test']), status: { hosts: ['bank.test'], accepted } }],
  });

export const TENANT_STATUS: readonly TenantAttack[] = [
  ...Object.entries(forgeries).flatMap(([what, object]) => [
    attack({ name: `forges a status which says ${what}`, objects: [object] }),
    attack({
      name: `forges one before the other is restarted, where hosts are first come, which says ${what}`,
      instance: FIRST_COME,
      before: BANK,
      objects: [object],
    }),
  ]),
  attack({
    name: 'forges that it held a host which another is granted and has not claimed',
    before: PLATFORM,
    objects: [forged(['bank.test'], AUDIT)],
    decided: ['none', 'no_route'],
  }),
  attack({
    name: 'forges that it held a host which nobody is granted',
    objects: [forged(['free.test'])],
    request: { host: 'free.test' },
    decided: ['none', 'no_route'],
  }),
  attack({
    name: 'writes a policy of another class for the host',
    objects: [evilPolicy({ hosts: ['bank.test'], rest: { className: 'other' } })],
  }),
  attack({
    name: 'forges a spec of another class as accepted',
    objects: [forged(['bank.test'], { rest: { className: 'other' } })],
  }),
  forgedAccepted({ generation: 1, spec: 'H4sI' }, 'records what is no spec'),
  forgedAccepted({ generation: -1, spec: {} }, 'records a spec of no generation'),
  forgedAccepted({ generation: 1, spec: 'A'.repeat(900_000) }, 'records a spec as long as a status may be'),
];
