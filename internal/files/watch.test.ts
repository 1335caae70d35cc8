import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { PolicyDirectory } from './directory.ts';
import type { DirectoryContent } from './directory-content.ts';
import { watchDirectory } from './watch.ts';

const role = (name: string): string =>
  `apiVersion: postern.dev/v1alpha1\nkind: APIRole\nmetadata: {name: ${name}}\nspec: {}\n`;

describe('watchDirectory()', () => {
  let root: string;
  let next: (holds: (content: DirectoryContent) => boolean) => Promise<DirectoryContent>;

  beforeEach((t) => {
    root = mkdtempSync(join(tmpdir(), 'postern-watch-'));
    const directory = new PolicyDirectory(root, systemClock);
    let told: ((content: DirectoryContent) => void) | undefined;
    let last: DirectoryContent | undefined;
    next = (holds) =>
      new Promise((resolve) => {
        told = (content) => holds(content) && resolve(content);
        if (last !== undefined) told(last);
      });
    const watch = watchDirectory({
      root,
      directory,
      clock: systemClock,
      pollMs: 100,
      onChange(content) {
        last = content;
        told?.(content);
      },
      onError: (error) => assert.fail(String(error)),
    });
    (t as TestContext).after(() => {
      watch.stop();
      rmSync(root, { recursive: true, force: true });
    });
  });

  const names = ({ objects }: DirectoryContent): string => objects.map(({ object }) => object.metadata.name).join();

  it('tells of a file that comes, changes and goes', { timeout: 20_000 }, async () => {
    writeFileSync(join(root, 'a.yaml'), role('a'));
    await next((content) => names(content) === 'a');
    writeFileSync(join(root, 'a.yaml'), role('b'));
    await next((content) => names(content) === 'b');
    rmSync(join(root, 'a.yaml'));
    await next((content) => names(content) === '');
  });

  it('goes on where the directory went away and came back', { timeout: 20_000 }, async () => {
    writeFileSync(join(root, 'a.yaml'), role('a'));
    await next((content) => names(content) === 'a');
    renameSync(root, `${root}-away`);
    await next((content) => content.problems.length === 1 && names(content) === 'a');
    renameSync(`${root}-away`, root);
    await next((content) => content.problems.length === 0);
    writeFileSync(join(root, 'a.yaml'), role('b'));
    await next((content) => names(content) === 'b');
  });
});
