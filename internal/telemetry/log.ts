import { type Logger, pino } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { Output } from './output.ts';
import { redactFields, redactText } from './redact.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** The lines of one instance, JSON, one a line: what happened to it, and what it decided. */
export interface Log {
  error(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  /** A record of a decision, whatever the level is; its fields are safe already (`decision-record.ts`). */
  decision(record: Fields, isFault: boolean): void;
}

export interface LogOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly output: Pick<Output, 'write'>;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Which of several processes writes it: a field of each line; undefined where there is one. */
  readonly worker?: number;
}

const NO_FIELDS: Fields = Object.freeze({});

export function createLog(options: LogOptions): Log {
  const lines = logger(options.level, options);
  const decisions = logger('info', options);
  const at =
    (name: LogOptions['level']) =>
    (message: string, fields: Fields = NO_FIELDS): void => {
      if (lines.isLevelEnabled(name)) lines[name](redactFields(fields), redactText(message));
    };
  return {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: at('debug'),
    decision: (record, isFault) => decisions[isFault ? 'error' : 'info'](record, 'decision'),
  };
}

/** Time as RFC 3339 in UTC, level as a word; no host name or process id: the platform adds its own. */
function logger(level: string, { output, clock, worker }: LogOptions): Logger {
  const timestamp = (): string => `,"time":"${new Date(clock.wallMs()).toISOString()}"`;
  const formatters = { level: (label: string) => ({ level: label }) };
  const base = worker === undefined ? null : { worker };
  return pino({ level, base, messageKey: 'message', timestamp, formatters }, output);
}
