// Asks one agent about one host again and again, each time a little after the last answer, until told to end, and prints
// how long answers took. A process of its own, which goes before everything else on its core.
import { setTimeout as wait } from 'node:timers/promises';
import { checkOver, closeClients } from '../../test/door/client.ts';

const [target = '', host = ''] = process.argv.slice(2);
let isOver = false;
process.on('SIGTERM', () => {
  isOver = true;
});
const tookMs: number[] = [];
let refused = 0;
while (!isOver) {
  const startMs = performance.now();
  const { http } = await checkOver(target, { host, path: '/' });
  tookMs.push(performance.now() - startMs);
  if (http !== 200) refused += 1;
  await wait(2);
}
closeClients();
tookMs.sort((a, b) => a - b);
const at = (part: number): number => tookMs[Math.ceil(tookMs.length * part) - 1] ?? Number.NaN;
process.stdout.write(
  JSON.stringify({ answers: tookMs.length, refused, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }),
);
