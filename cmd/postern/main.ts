#!/usr/bin/env node
// Loads the rest only when it is settled who takes signals. From process 1 of a container the kernel keeps them unless it
// listens; any other process they end at once, and one that listened could not answer before everything is loaded.
import { takeSignals } from '../../internal/app/signals.ts';

const isFirstProcess = process.pid === 1;
if (isFirstProcess) takeSignals();
const { runProgram } = await import('./program.ts');
if (!isFirstProcess) takeSignals();
await runProgram();
