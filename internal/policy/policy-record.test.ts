import assert from 'node:assert/strict';
import { it } from 'node:test';
import { NO_DEFAULTS } from './baselines/defaults.ts';
import { NamespaceBudgets } from './namespace-budgets.ts';
import type { SourceObject } from './object.ts';
import { PORTS } from './policy-ports.fixture.ts';
import { PolicyRecord } from './policy-record.ts';
import type { RecordedSpec } from './recorded-spec.ts';

const objectOf = (spec: object, generation = 1, status?: unknown): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'APIPolicy',
  metadata: { name: 'p', namespace: 'shop', uid: 'u', generation },
  spec: { target: { hosts: ['api.test'] }, authentication: { anonymous: {} }, ...spec },
  status,
});

const FREE = { defaultsOf: () => NO_DEFAULTS, budgets: new NamespaceBudgets(undefined) };

/** Steps until the record has compiled its object; between two of them checks are answered. */
function stepsOf(
  record: PolicyRecord,
  recordedSpec: (object: SourceObject) => RecordedSpec | undefined = () => undefined,
) {
  const steps = record.compile({ ports: PORTS, className: 'postern', recordedSpec, ...FREE });
  let count = 1;
  while (!steps.next().done) count += 1;
  return count;
}

it('compiles one expression, method or rule of a policy in a step, so that a large policy keeps no check waiting', () => {
  const numbers = Array.from({ length: 10 }, (_, i) => i);
  const when = numbers.map((i) => ({ expression: `request.path != '/step${i}'` }));
  const key = (i: number): object[] => [{ expression: `request.path + 'step${i}'` }];
  const value = (i: number): object => ({ expression: `request.path + 'header${i}'` });
  const jwt = (i: number): object => ({ issuer: `https://i${i}.test`, audiences: ['a'] });
  const parts: Readonly<Record<string, object>> = {
    conditions: { authorization: { rules: [{ name: 'r', deny: { when } }] } },
    rules: { authorization: { rules: numbers.map((i) => ({ name: `r${i}`, deny: { methods: ['GET'] } })) } },
    methods: { authentication: { methods: numbers.map((i) => ({ name: `m${i}`, jwt: jwt(i) })) } },
    limits: {
      rateLimits: numbers.map((i) => ({
        name: `l${i}`,
        stage: 'BeforeAuthentication',
        key: key(i),
        rates: [{ requests: 1, window: '1s' }],
      })),
    },
    headers: { response: { upstreamHeaders: numbers.map((i) => ({ name: `x-${i}`, value: value(i) })) } },
  };
  for (const [what, spec] of Object.entries(parts)) {
    const record = new PolicyRecord(objectOf(spec));
    const steps = stepsOf(record);
    assert.deepEqual(
      record.problems.filter(({ severity }) => severity === 'error'),
      [],
      what,
    );
    assert.ok(steps > numbers.length, `${what}: ${steps}`);
    assert.ok(record.isCompiledWith(FREE));
  }
});

it('reads a record that it refused no second time, whatever else of the status changes, until there is another spec', () => {
  const nonsense = { authorization: { rules: [{ name: 'r', deny: { when: [{ expression: 'nonsense' }] } }] } };
  const read: string[] = [];
  const recordedSpec = ({ status }: SourceObject): RecordedSpec => {
    const { accepted } = status as { accepted: { spec: string } };
    read.push(accepted.spec);
    return { generation: 1, spec: accepted.spec === 'good' ? objectOf({}).spec : accepted.spec };
  };
  const statusOf = (spec: string, conditions: number): object => ({ accepted: { generation: 1, spec }, conditions });
  const record = new PolicyRecord(objectOf(nonsense, 2, statusOf('bad', 1)));
  stepsOf(record, recordedSpec);
  for (const object of [
    objectOf(nonsense, 2, statusOf('bad', 2)),
    objectOf(nonsense, 2, statusOf('bad', 3)),
    objectOf({ ...nonsense, mode: 'Audit' }, 3, statusOf('bad', 3)),
    objectOf({ ...nonsense, mode: 'Audit' }, 3, statusOf('good', 3)),
  ]) {
    assert.equal(record.accepted, undefined);
    record.object = object;
    stepsOf(record, recordedSpec);
  }
  assert.deepEqual(read, ['bad', 'bad', 'good']);
  assert.equal(record.accepted?.ref.generation, 1);
});
