import { documents, policyOf, type TenantAttack } from './tenant-attack.ts';
import { evilPolicy, FROM_CLUSTER, forgedNewest } from './tenant-objects.ts';

const CLOSED = '[{name: nobody, allow: {groups: [nobody]}}]';
const bank = (name: string): string =>
  policyOf('bank', { name, target: `{hosts: [${name}.bank.test]}`, rules: CLOSED });
const BUDGET = { policies: 100, bytes: 4_000_000 };
const many = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, i) => evilPolicy({ name: `p${i}`, hosts: [`p${i}.evil.test`], ...more }));
/** 3 kB to write, and some 13 MB once its patterns are made. */
const bomb = (i: number) => ({
  rules: Array.from({ length: 8 }, (_, k) => ({
    name: `r${k}`,
    deny: { when: [{ expression: `request.path.matches('^[a-f${i}]{450}x{440}${k}$')` }] },
  })),
});
const WIDE = Array.from({ length: 64 }, (_, i) => `h${i}.evil.test`);
const LONG = 'x'.repeat(2000);

type Attack = Pick<TenantAttack, 'name' | 'objects'> & Partial<TenantAttack>;
const object = (kind: string, name: string, spec: object) => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  metadata: { name, namespace: 'evil', uid: `${kind}-${name}`, generation: 1 },
  spec,
});
const numbered = (count: number, kind: string, specOf: (i: number) => object) =>
  Array.from({ length: count }, (_, i) => object(kind, `n${i}`, specOf(i)));

/** While it goes on, the bank applies another policy, which has to serve. */
const attack = (given: Attack): TenantAttack => ({
  instance: { ...FROM_CLUSTER, namespaceBudget: BUDGET, objectBudget: { objects: 1000, bytes: 4_000_000 } },
  before: bank('old'),
  applies: bank('new'),
  request: { host: 'new.bank.test' },
  decided: ['bank', 'not_allowed'],
  ...given,
});

export const TENANT_BUDGETS: readonly TenantAttack[] = [
  attack({ name: 'applies 5,000 policies', objects: many(5000) }),
  attack({
    name: 'applies 5,000 policies that are older than those of others',
    objects: many(5000, { created: '2020-01-01T00:00:00Z' }),
  }),
  attack({
    name: 'applies policies whose patterns take a thousand times what they are to write',
    objects: Array.from({ length: 12 }, (_, i) =>
      evilPolicy({ name: `p${i}`, hosts: [`p${i}.evil.test`], authorization: bomb(i) }),
    ),
  }),
  attack({
    name: 'applies policies as large as they may be',
    objects: many(200, {
      authorization: {
        rules: Array.from({ length: 20 }, (_, k) => ({
          name: `r${k}`,
          allow: { when: [{ expression: `request.path != '${LONG}'` }] },
        })),
      },
    }),
  }),
  attack({
    name: 'claims 64 paths on 64 hosts by each of 100 policies',
    objects: many(100, { rest: { target: { hosts: WIDE, paths: WIDE.map((host) => `/${host}/{id}`) } } }),
  }),
  attack({
    name: 'says in status that it held 64 paths on 64 hosts by each of 100 policies',
    objects: Array.from({ length: 100 }, (_, i) =>
      forgedNewest(WIDE, {
        name: `p${i}`,
        rest: { target: { hosts: WIDE, paths: WIDE.map((host) => `/${host}/{id}`) } },
      }),
    ),
  }),
  attack({
    name: 'says in status that all of 5,000 policies serve',
    objects: Array.from({ length: 5000 }, (_, i) => forgedNewest([`p${i}.evil.test`], { name: `p${i}` })),
  }),
  attack({
    name: 'applies 20,000 consumers',
    objects: numbered(20_000, 'APIConsumer', (i) => ({
      groups: [`g${i}`],
      keys: [{ name: 'k', sha256: i.toString(16).padStart(64, '0') }],
    })),
  }),
  attack({
    name: 'applies roles that all inherit as many others as they may',
    objects: numbered(2000, 'APIRole', (i) => ({
      inherits: Array.from({ length: 32 }, (_, k) => ({ name: `r${i}-${k}` })),
    })),
  }),
  attack({
    name: 'applies 20,000 bindings, each of another role',
    objects: numbered(20_000, 'APIRoleBinding', (i) => ({
      roleRef: { name: `r${i}` },
      subjects: [{ consumer: { name: `c${i}` } }],
    })),
  }),
  attack({
    name: 'claims by policies over its budget what another holds',
    objects: many(300, { hosts: ['old.bank.test', 'new.bank.test'] }),
    applies: '',
    request: { host: 'old.bank.test' },
  }),
  attack({
    name: 'fills its own budget and has its policies count against another’s',
    objects: many(300),
    before: documents(...Array.from({ length: 99 }, (_, i) => bank(`b${i}`)), bank('old')),
    applies: '',
    request: { host: 'old.bank.test' },
  }),
  attack({
    name: 'opens by Audit over its budget what it was never granted',
    objects: many(300, { rest: { mode: 'Audit' }, hosts: ['*.bank.test'] }),
    applies: '',
    request: { host: 'else.bank.test' },
    decided: ['none', 'no_route'],
  }),
];
