#!/usr/bin/env node
// Loads the rest only when signals are taken: as process 1 of a container nothing else would listen to them meanwhile.
import { takeSignals } from '../../internal/app/signals.ts';

takeSignals();
const { runProgram } = await import('./program.ts');
await runProgram();
