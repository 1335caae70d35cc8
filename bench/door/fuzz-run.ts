// Fuzzed frames in a process of their own, which a crash ends: <frames> <connections> <seed>. Prints what came of it as JSON.
import { fuzzDoor } from '../../test/http2/fuzz.ts';

const [frames = 0, connections = 0, seed = 0] = process.argv.slice(2).map(Number);
const startMs = performance.now();
const { endings, ...fuzzed } = await fuzzDoor({
  frames,
  connections,
  seed,
  onProgress: (done) => void process.stderr.write(`  ${done} frames\n`),
});
const seconds = (performance.now() - startMs) / 1000;
process.stdout.write(`${JSON.stringify({ ...fuzzed, endings: Object.fromEntries(endings), seconds })}\n`, () =>
  process.exit(0),
);
