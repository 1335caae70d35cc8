import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import type { PodLabels } from '../policy/workload.ts';
import { ManualTimers } from './manual-timers.fixture.ts';
import { readPodLabels, watchPodLabels } from './pod-labels.ts';

let folder: string;
let file: string;
const HOW = 'let a downwardAPI volume write metadata.labels there, with lines as in app="orders"';

beforeEach((t) => {
  folder = mkdtempSync(join(tmpdir(), 'postern-labels-'));
  file = join(folder, 'labels');
  (t as TestContext).after(() => rmSync(folder, { recursive: true, force: true }));
});

/** As the kubelet does it: a new folder beside the old one, and one symlink that is moved over to it. */
function publish(text: string, version: string): void {
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, 'labels'), text);
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  if (version === '..1') symlinkSync('..data/labels', file);
}

describe('readPodLabels()', () => {
  const read = (text: string): PodLabels => {
    writeFileSync(file, text);
    return readPodLabels(file);
  };

  it('reads what a kubelet writes', () => {
    const text = 'app="orders"\napp.kubernetes.io/name="a_b.C-d"\nempty=""\npostern.dev/inject="true"';
    const labels = { app: 'orders', 'app.kubernetes.io/name': 'a_b.C-d', empty: '', 'postern.dev/inject': 'true' };
    assert.deepEqual(Object.fromEntries(read(text)), labels);
    assert.deepEqual(Object.fromEntries(read(`${text}\n`)), labels);
  });

  it('takes nothing of a file that is not wholly so, and says what it should be', () => {
    const wrong = {
      '': 'is empty: no policy selects a Pod without labels',
      '\n \n': 'is empty: no policy selects a Pod without labels',
      'app="orders"\ntier=web': 'has no label in line 2',
      'app="orders"\n\ntier="web"': 'has no label in line 2',
      'app="orders" ': 'has no label in line 1',
      'app="or"ders"': 'has no label in line 1',
      '{"app":"orders"}': 'has no label in line 1',
      'app="orders"\napp="web"': 'has the label "app" twice',
      ['x'.repeat(1024 * 1024 + 1)]: 'is longer than the labels of a Pod can be',
    };
    for (const [text, what] of Object.entries(wrong))
      assert.throws(() => read(text), { message: `--workload-labels: "${file}" ${what}: ${HOW}` });
  });

  it('says of a file that is not there which one', () => {
    assert.throws(() => readPodLabels(file), /^PosternError: --workload-labels: ".*labels" cannot be read \(ENOENT/);
  });
});

describe('watchPodLabels()', () => {
  it('tells of labels that changed, keeps the last where none can be read, and says so once', (t) => {
    publish('app="orders"', '..1');
    const timers = new ManualTimers();
    const told: unknown[] = [];
    const watch = watchPodLabels({
      path: file,
      first: readPodLabels(file),
      timers,
      onChange: (labels) => told.push(Object.fromEntries(labels)),
      onError: (why) => told.push(why.replace(folder, '')),
      onRecovery: () => told.push('read again'),
    });
    t.after(() => watch.stop());
    const look = (): unknown[] => {
      timers.advance(2000);
      return told.splice(0);
    };
    assert.deepEqual(look(), []);
    publish('tier="web"\napp="orders"', '..2');
    assert.deepEqual([look(), look()], [[{ app: 'orders', tier: 'web' }], []]);
    publish('', '..3');
    assert.match(String(look()), /^--workload-labels: "\/labels" is empty/);
    assert.deepEqual(look(), []);
    publish('app="orders"\ntier="web"', '..4');
    assert.deepEqual(look(), ['read again']);
    rmSync(join(folder, '..data'));
    assert.match(String(look()), /cannot be read/);
    watch.stop();
    assert.deepEqual(timers.left, []);
  });
});
