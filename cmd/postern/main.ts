#!/usr/bin/env node
// Loads the rest only when it is settled who takes signals. From process 1 of a container the kernel keeps them unless it
// listens; any other process they end at once, and one that listened could not answer before everything is loaded.
import { ignoreSignals, takeSignals } from '../../internal/app/signals.ts';

// A process that `serve --workers` started does what that one says, also when Ctrl-C reaches them both.
const isWorker = process.argv[2] === 'worker' && process.connected;
const isFirstProcess = process.pid === 1;
if (isWorker) {
  ignoreSignals();
  const { runWorker } = await import('../../internal/app/run-worker.ts');
  await runWorker();
} else {
  if (isFirstProcess) takeSignals();
  const { runProgram } = await import('./program.ts');
  if (!isFirstProcess) takeSignals();
  await runProgram();
}
