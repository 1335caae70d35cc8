import { hash } from 'node:crypto';
import { documents, policyOf, type TenantAttack } from './tenant-attack.ts';

const BANK_KEY = 'the-key-of-the-bank-0123456789';
const EVIL_KEY = 'a-key-that-evil-made-0123456789';
const KEYS = '{methods: [{name: keys, apiKey: {}}]}';
const ROLES = '[{name: tellers, allow: {roles: [teller]}}]';

const object = (kind: string, metadata: string, spec: string): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`;
const consumer = (namespace: string, name: string, key: string, groups = ''): string =>
  object('APIConsumer', `{name: ${name}, namespace: ${namespace}}`, `{groups: [${groups}], keys: [${key}]}`);
const digest = (key: string): string => `{name: k, sha256: ${hash('sha256', key, 'hex')}}`;
const fromSecret = (name: string): string => `{name: k, secretRef: {name: ${name}, key: key}}`;
const secret = (namespace: string, usedBy: string, type = 'postern.dev/credential', key = BANK_KEY): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: teller, namespace: ${namespace}, annotations: {postern.dev/used-by: "${usedBy}"}}\ntype: ${type}\nstringData: {key: "${key}"}\n`;
const role = (namespace: string): string =>
  object('APIRole', `{name: teller, namespace: ${namespace}}`, '{permissions: [{name: all, allPolicies: {}}]}');
const binding = (namespace: string, subject: string): string =>
  object('APIRoleBinding', `{name: b, namespace: ${namespace}}`, `{roleRef: {name: teller}, subjects: [${subject}]}`);

/** The bank's caller is a consumer whose key a Secret holds, and who is bound to the role that may. */
const BANK = documents(
  policyOf('bank', { target: '{hosts: [bank.test]}', authentication: KEYS, rules: ROLES }),
  secret('bank', 'APIConsumer/teller'),
  consumer('bank', 'teller', fromSecret('teller')),
  role('bank'),
  binding('bank', '{consumer: {name: teller}}'),
);
/** The same under the names that the bank uses, with rules that let every consumer in. */
const EVIL_POLICY = policyOf('evil', { target: '{hosts: [evil.test]}', authentication: KEYS });

const asked = (host: string, key: string) => ({ host, headers: { 'x-api-key': key } });
type Attack = Pick<TenantAttack, 'name' | 'applies' | 'request' | 'decided'>;
const attack = (given: Attack): TenantAttack => ({ instance: {}, before: BANK, ...given });
/** By the bank's Secret nobody is let in at evil's, which would tell it that a key is right. */
const oracle = (name: string, applies: string): TenantAttack =>
  attack({
    name,
    applies: documents(EVIL_POLICY, applies),
    request: asked('evil.test', BANK_KEY),
    decided: ['evil', 'credential_unknown'],
  });
const stranger = (name: string, applies: string, reason = 'credential_unknown'): TenantAttack =>
  attack({ name, applies, request: asked('bank.test', EVIL_KEY), decided: ['bank', reason] });
/** The bank's own caller is let in all the same. */
const undisturbed = (name: string, applies: string): TenantAttack =>
  attack({ name, applies, request: asked('bank.test', BANK_KEY), decided: ['bank', 'allowed'] });

export const TENANT_SECRETS: readonly TenantAttack[] = [
  oracle('names a Secret of another namespace by its name', consumer('evil', 'teller', fromSecret('teller'))),
  oracle(
    'names its consumer as the Secret is offered to, in another namespace',
    documents(
      consumer('evil', 'teller', fromSecret('teller')),
      role('evil'),
      binding('evil', '{consumer: {name: teller}}'),
    ),
  ),
  oracle(
    'offers a Secret of its own to the consumer of another, for its own',
    documents(secret('evil', 'APIConsumer/bank-teller'), consumer('evil', 'teller', fromSecret('teller'))),
  ),
  ...['APIConsumer/*', 'APIConsumer/', '*', 'APIConsumer/tellers', 'apiconsumer/teller', 'bank/APIConsumer/teller'].map(
    (usedBy) =>
      oracle(
        `lists "${usedBy}" as who may read a Secret`,
        documents(secret('evil', usedBy), consumer('evil', 'teller', fromSecret('teller'))),
      ),
  ),
  ...['Opaque', 'kubernetes.io/service-account-token', 'postern.dev/Credential'].map((type) =>
    oracle(
      `takes a Secret of the type ${type}`,
      documents(secret('evil', 'APIConsumer/teller', type), consumer('evil', 'teller', fromSecret('teller'))),
    ),
  ),
  oracle('sends another’s key to its own policy', consumer('evil', 'any', digest(EVIL_KEY))),
  stranger('has a consumer of the name of another’s', consumer('evil', 'teller', digest(EVIL_KEY))),
  stranger(
    'binds its consumer to a role of the name of another’s',
    documents(
      consumer('evil', 'teller', digest(EVIL_KEY), 'teller'),
      role('evil'),
      binding('evil', '{consumer: {name: teller}}'),
    ),
  ),
  stranger(
    'binds a group that it gives itself',
    documents(consumer('evil', 'x', digest(EVIL_KEY), 'tellers'), binding('evil', '{consumerGroup: {name: tellers}}')),
  ),
  undisturbed(
    'claims the digest of another’s key, so that it would be nobody’s',
    consumer('evil', 'x', digest(BANK_KEY)),
  ),
  undisturbed(
    'makes a Secret of the name of another’s that is offered to nobody',
    documents(secret('evil', ''), consumer('evil', 'teller', fromSecret('teller'))),
  ),
  undisturbed(
    'breaks a role, a binding and a consumer of the names of another’s',
    documents(
      object('APIRole', '{name: teller, namespace: evil}', '{inherits: [{name: teller}]}'),
      object('APIRoleBinding', '{name: b, namespace: evil}', '{roleRef: {name: teller}, subjects: [{nobody: {}}]}'),
      object('APIConsumer', '{name: teller, namespace: evil}', '{keys: [{name: k}]}'),
    ),
  ),
];
