import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { PolicyDirectory } from './directory.ts';
import type { DirectoryContent } from './directory-content.ts';
import { formatProblem } from './format-problem.ts';
import { identityOf } from './parse-file.ts';

const role = (...names: readonly string[]): string =>
  names
    .map((name) => `apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: ${name}}\nspec: {}\n`)
    .join('---\n');
const policy = (target: string): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: APIPolicy\nmetadata: {name: p}\nspec: ${target}\n`;

const NOBODY = 65_534;

describe('PolicyDirectory', () => {
  let root: string;
  let directory: PolicyDirectory;

  beforeEach((t) => {
    root = mkdtempSync(join(tmpdir(), 'postern-files-'));
    (t as TestContext).after(() => rmSync(root, { recursive: true, force: true }));
    directory = new PolicyDirectory(root, systemClock);
  });

  const write = (name: string, text: string): void => writeFileSync(join(root, name), text);
  const names = (content: DirectoryContent | undefined): string[] | undefined =>
    content?.objects.map((found) => identityOf(found).replace(/^APIRole\/default\//, ''));
  /** What stands of before, and what was never read. */
  const standing = (content: DirectoryContent | undefined): object => {
    const [kept, unread] = [content?.kept, content?.unread].map((paths) =>
      paths?.map((path) => path.replace(`${root}/`, '')),
    );
    return { kept, unread };
  };
  const said = (content: DirectoryContent | undefined): string[] | undefined =>
    content?.problems.map((problem) => formatProblem(problem).replace(`${root}/`, ''));
  /** Looks until it is at rest. */
  async function settled(): Promise<DirectoryContent | undefined> {
    let content = await directory.read();
    while (directory.isUnsettled) content = (await directory.read()) ?? content;
    return content;
  }

  /** As somebody whom permissions hold back: root may read everything. */
  async function unprivileged(run = settled): Promise<DirectoryContent | undefined> {
    if (process.getuid?.() !== 0) return run();
    chmodSync(root, 0o755);
    process.seteuid?.(NOBODY);
    try {
      return await run();
    } finally {
      process.seteuid?.(0);
    }
  }

  it('reads YAML and JSON files by their names, and no others', async () => {
    write('a.yaml', role('a'));
    write('b.yml', role('b'));
    const json = { apiVersion: 'postern.dev/v1alpha1', kind: 'APIRole', metadata: { name: 'c' }, spec: {} };
    write('c.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [json] }));
    write('d.txt', role('d'));
    write('.e.json', JSON.stringify(json));
    assert.deepEqual(names(await settled()), ['a', 'b', 'c']);
  });

  it('reads every *.yaml below it, each directory once, and none whose name begins with a dot', async () => {
    mkdirSync(join(root, 'team/.git'), { recursive: true });
    mkdirSync(join(root, '..data'));
    write('b.yaml', role('b'));
    write('notes.txt', 'x: [');
    write('team/a.yml', role('a'));
    write('team/.git/c.yaml', role('c'));
    write('..data/d.yaml', role('d'));
    symlinkSync('..data/d.yaml', join(root, 'd.yaml'));
    symlinkSync('.', join(root, 'loop'));
    const content = await settled();
    assert.deepEqual(names(content), ['b', 'd', 'a']);
    assert.deepEqual(said(content), []);
    assert.deepEqual(standing(content), { kept: [], unread: [] });
  });

  it('takes nothing of a file before two looks at it are equal', async () => {
    write('a.yaml', role('a'));
    assert.deepEqual(names(await directory.read()), []);
    assert.equal(directory.isUnsettled, true);
    write('a.yaml', role('a', 'b'));
    assert.equal(await directory.read(), undefined);
    assert.deepEqual(names(await directory.read()), ['a', 'b']);
    assert.equal(directory.isUnsettled, false);
    assert.equal(await directory.read(), undefined);
  });

  it('keeps what a writer that pauses in the middle has cut short, until it is done', async () => {
    write('a.yaml', role('a', 'b'));
    await settled();
    write('a.yaml', role('a'));
    assert.equal(await directory.read(), undefined);
    write('a.yaml', role('a', 'b'));
    assert.deepEqual(names(await settled()), ['a', 'b']);
  });

  it('keeps what an emptied file said, and says how to take it away', async () => {
    write('a.yaml', role('a'));
    await settled();
    truncateSync(join(root, 'a.yaml'));
    const emptied = await settled();
    assert.deepEqual(names(emptied), ['a']);
    assert.deepEqual(said(emptied), [
      'a.yaml:1:1: It is empty, so what it said before stays: delete the file to take its objects away (Invalid)',
    ]);
    assert.deepEqual(standing(emptied), { kept: ['a.yaml'], unread: [] });
    rmSync(join(root, 'a.yaml'));
    assert.deepEqual(names(await settled()), []);
  });

  it('takes a file that says nothing but a comment at its word', async () => {
    write('a.yaml', role('a'));
    await settled();
    write('a.yaml', '# revoked\n');
    assert.deepEqual(names(await settled()), []);
  });

  it('misses a file twice before it is gone: editors move it away to write it anew', async () => {
    write('a.yaml', role('a'));
    await settled();
    renameSync(join(root, 'a.yaml'), join(root, 'a.yaml~'));
    assert.equal(await directory.read(), undefined);
    renameSync(join(root, 'a.yaml~'), join(root, 'a.yaml'));
    assert.deepEqual(names(await settled()), ['a']);
  });

  const ODD: Readonly<Record<string, readonly [(path: string) => void, string]>> = {
    'a link to nothing': [(path) => symlinkSync('/nonexistent', path), 'Cannot be read: no such file or directory'],
    'a link to itself': [(path) => symlinkSync(path, path), 'Cannot be read: too many symbolic links encountered'],
    'a link to a device that never ends': [(path) => symlinkSync('/dev/zero', path), 'It is no file'],
    'a pipe that nobody writes to': [(path) => void execFileSync('mkfifo', [path]), 'It is no file'],
    'a directory': [(path) => void mkdirSync(path), 'It is a directory, not a file: give it another name'],
    'a file that is too large': [
      (path) => writeFileSync(path, '#'.repeat(4 * 1024 * 1024 + 1)),
      'It is larger than 4194304 bytes',
    ],
    'a file that is no text': [(path) => writeFileSync(path, Buffer.from([0x61, 0xff])), 'It is not UTF-8'],
    'a file that nobody may read': [
      (path) => writeFileSync(path, 'x', { mode: 0 }),
      'Cannot be read: permission denied',
    ],
  };
  for (const [what, [make, why]] of Object.entries(ODD)) {
    it(`lets ${what} keep no other file from being read`, async () => {
      write('a.yaml', role('a', 'revoked'));
      await settled();
      make(join(root, 'odd.yaml'));
      write('a.yaml', role('a'));
      const content = await unprivileged();
      assert.deepEqual(names(content), ['a']);
      assert.deepEqual(said(content), [`odd.yaml:1:1: ${why} (Invalid)`]);
      assert.deepEqual(standing(content), { kept: [], unread: what === 'a directory' ? [] : ['odd.yaml'] });
      assert.equal(await unprivileged(() => directory.read()), undefined);
    });

    it(`keeps what a file said that ${what} takes the place of`, async () => {
      write('odd.yaml', role('a'));
      await settled();
      rmSync(join(root, 'odd.yaml'));
      make(join(root, 'odd.yaml'));
      const content = await unprivileged();
      assert.deepEqual([names(content), standing(content)], [['a'], { kept: ['odd.yaml'], unread: [] }]);
      assert.deepEqual(said(content), [`odd.yaml:1:1: ${why} (Invalid)`]);
    });
  }

  it('keeps what lies below a directory that cannot be listed', async () => {
    mkdirSync(join(root, 'team'));
    write('team/a.yaml', role('a'));
    write('b.yaml', role('b', 'revoked'));
    await settled();
    chmodSync(join(root, 'team'), 0);
    write('b.yaml', role('b'));
    const content = await unprivileged();
    chmodSync(join(root, 'team'), 0o755);
    assert.deepEqual(names(content), ['b', 'a']);
    assert.deepEqual(said(content), ['team:1:1: Cannot be read: permission denied (Invalid)']);
  });

  it('keeps everything while its root is away, and says so until it is back', async () => {
    write('a.yaml', role('a'));
    await settled();
    renameSync(root, `${root}-away`);
    const away = await directory.read();
    assert.deepEqual([names(away), said(away)?.length], [['a'], 1]);
    renameSync(`${root}-away`, root);
    assert.deepEqual(said(await directory.read()), []);
  });

  it('is refused where its root was never there', async () => {
    await assert.rejects(new PolicyDirectory(join(root, 'none'), systemClock).read(), {
      code: 'ERR_POSTERN_FILE',
      message: `The policies in "${join(root, 'none')}": Cannot be read: no such file or directory`,
    });
  });

  it('takes what can be read of a file, and keeps of before what may be the rest', async () => {
    write('a.yaml', role('a', 'b', 'revoked'));
    await settled();
    write('a.yaml', `${role('new', 'a')}---\n{ broken\n`);
    const content = await settled();
    assert.deepEqual(names(content), ['new', 'a', 'b', 'revoked']);
    assert.deepEqual(standing(content), { kept: ['a.yaml'], unread: [] });
    write('a.yaml', role('new', 'a'));
    assert.deepEqual(names(await settled()), ['new', 'a']);
  });

  it('lets what is kept of before give way to what another file says now', async () => {
    write('a.yaml', role('a'));
    await settled();
    write('a.yaml', '{ broken\n');
    write('b.yaml', role('a'));
    const content = await settled();
    assert.deepEqual(
      content?.objects.map(({ file }) => file.replace(`${root}/`, '')),
      ['b.yaml'],
    );
    assert.deepEqual(
      content?.problems.filter(({ reason }) => reason === 'DuplicateName'),
      [],
    );
  });

  it('says of two objects of one name which file counts', async () => {
    write('a.yaml', role('a'));
    write('b.yaml', role('a'));
    assert.deepEqual(said(await settled()), [
      `b.yaml:3:12: metadata.name: APIRole/default/a stands in "${root}/a.yaml" already, which is the one that counts (DuplicateName)`,
    ]);
  });

  for (const [what, text] of Object.entries({
    'a document that is no YAML': `${role('a')}---\n{ broken\n`,
    'a misspelt kind': `${role('a')}---\nkind: APIPolcy\n`,
    'a policy whose target is misspelt': policy('{targte: {hosts: [api.example.org]}}'),
    'nothing in it': '',
  })) {
    it(`knows a file with ${what} for one that may claim anything`, async () => {
      write('a.yaml', text);
      assert.deepEqual(standing(await settled()), { kept: [], unread: ['a.yaml'] });
      write('a.yaml', policy('{target: {hosts: [api.example.org]}}'));
      assert.deepEqual(standing(await settled()), { kept: [], unread: [] });
      write('a.yaml', text);
      // What it said before stands in for it.
      assert.deepEqual((await settled())?.unread, []);
    });
  }

  it('says which file never rests', async () => {
    write('a.yaml', role('a'));
    write('b.yaml', role('b'));
    await directory.read();
    let content: DirectoryContent | undefined;
    for (let look = 0; look < 20; look += 1) {
      utimesSync(join(root, 'b.yaml'), look, look);
      content = (await directory.read()) ?? content;
    }
    assert.deepEqual(names(content), ['a']);
    assert.deepEqual(said(content), ['b.yaml:1:1: It changes all the time, so it cannot be read (Invalid)']);
    assert.deepEqual(standing(content), { kept: [], unread: ['b.yaml'] });
    assert.deepEqual(names(await settled()), ['a', 'b']);
  });

  it('takes an object that did not change for the object that it was', async () => {
    write('a.yaml', role('a', 'b'));
    const before = await settled();
    write('a.yaml', `# moved\n${role('a')}---\n${role('b')}`);
    const after = await settled();
    assert.notEqual(after?.objects[0]?.object, before?.objects[0]?.object);
    assert.equal(after?.objects[1]?.object, before?.objects[1]?.object);
  });

  it('reads at once what is there, for whoever serves nothing by it', async () => {
    write('a.yaml', role('a'));
    assert.deepEqual(names(await directory.readAtOnce()), ['a']);
  });

  it('gives the event loop its turns while it reads a large file', async () => {
    write('a.yaml', role(...Array.from({ length: 1000 }, (_, index) => `r${index}`)));
    await directory.read();
    let turns = 0;
    const turn = setInterval(() => {
      turns += 1;
    }, 1);
    const content = await directory.read();
    clearInterval(turn);
    assert.equal(content?.objects.length, 1000);
    assert.ok(turns > 10, `${turns} turns`);
  });
});
