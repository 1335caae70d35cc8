const EXIT_CODES = Object.freeze({ SIGTERM: 143, SIGINT: 130 });

export type Signal = keyof typeof EXIT_CODES;

const waiting: ((signal: Signal) => void)[] = [];

/**
 * Takes SIGTERM and Ctrl-C from now on: the kernel keeps them from process 1 of a container that has not asked for
 * them. One that nobody waits for with `nextSignal` ends the process at once, with 143 or 130, as a shell expects.
 */
export function takeSignals(): void {
  for (const signal of Object.keys(EXIT_CODES) as Signal[]) {
    process.on(signal, () => {
      const take = waiting.shift();
      if (take === undefined) process.exit(EXIT_CODES[signal]);
      take(signal);
    });
  }
}

/** Leaves the end of this process to another one. */
export function ignoreSignals(): void {
  for (const signal of Object.keys(EXIT_CODES)) process.on(signal, () => undefined);
}

/** The next signal to stop, which from now on ends nothing by itself. */
export const nextSignal = (): Promise<Signal> => new Promise((resolve) => void waiting.push(resolve));
