import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Figure } from '../figures.ts';

/** Lines of internal/ that the whole test suite runs. */
export async function measureCoverage(say: (line: string) => void): Promise<Figure[]> {
  say('  the whole test suite, which takes minutes');
  const child = spawn('npm', ['run', '-s', 'test:coverage'], {
    cwd: resolve(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let percent = Number.NaN;
  let left = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    left += String(chunk);
    const lines = left.split('\n');
    left = lines.pop() ?? '';
    for (const line of lines) percent = Number(/all files\s*\|\s*([\d.]+)/.exec(line)?.[1] ?? percent);
  }
  if (Number.isNaN(percent)) throw new Error('The test suite told no coverage');
  return [
    {
      key: 'coverage',
      value: percent,
      unit: '% of lines of internal/',
      bar: '>= 90',
      note: 'every reason of the table is asserted by a test: test/reasons.test.ts',
    },
  ];
}
