import { readFileSync } from 'node:fs';
import { PosternError } from '../core/error.ts';
import type { PodLabels } from '../policy/workload.ts';
import { systemTimers, type Timers } from './timers.ts';

/** A line as the kubelet writes it; what a label may hold needs no escapes. */
const LINE =
  /^((?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)="((?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?)"$/;
/** The API server stores no object that is longer. */
const MAX_CHARACTERS = 1024 * 1024;
/** The kubelet takes a minute to write a change; a look at a file of some lines costs microseconds. */
const POLL_MS = 2000;

/**
 * The labels of this Pod, from the file that a `downwardAPI` volume makes of `metadata.labels`.
 *
 * @throws {PosternError} ERR_POSTERN_CONFIG when the file cannot be read, or is not wholly what a kubelet writes
 */
export function readPodLabels(path: string): PodLabels {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fault(path, `cannot be read (${error instanceof Error ? error.message : String(error)})`, error);
  }
  return parse(path, text);
}

function parse(path: string, text: string): PodLabels {
  if (text.length > MAX_CHARACTERS) throw fault(path, 'is longer than the labels of a Pod can be');
  const labels = new Map<string, string>();
  const lines = text.replace(/\n$/, '').split('\n');
  if (text.trim() === '') throw fault(path, 'is empty: no policy selects a Pod without labels');
  for (const [index, line] of lines.entries()) {
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) throw fault(path, `has no label in line ${index + 1}`);
    if (labels.has(name)) throw fault(path, `has the label "${name}" twice`);
    labels.set(name, value);
  }
  return labels;
}

const HOW = 'let a downwardAPI volume write metadata.labels there, with lines as in app="orders"';
const fault = (path: string, what: string, cause?: unknown): PosternError =>
  new PosternError('ERR_POSTERN_CONFIG', `--workload-labels: "${path}" ${what}: ${HOW}`, { cause });

export interface PodLabelsWatch {
  readonly path: string;
  /** What was read of it before. */
  readonly first: PodLabels;
  readonly timers?: Timers | undefined;
  readonly onChange: (labels: PodLabels) => void;
  /** What was read before stays. Each new trouble is told once. */
  readonly onError: (why: string) => void;
  /** The file says something again. */
  readonly onRecovery: () => void;
}

/** Looks at the file now and then: the kubelet puts another one in its place when labels change. */
export function watchPodLabels(watch: PodLabelsWatch): { stop(): void } {
  const timers = watch.timers ?? systemTimers;
  let known = textOf(watch.first);
  let trouble: string | undefined;
  const look = (): void => {
    cancel = timers.after(POLL_MS, look);
    try {
      const labels = readPodLabels(watch.path);
      if (trouble !== undefined) watch.onRecovery();
      trouble = undefined;
      const text = textOf(labels);
      if (text === known) return;
      known = text;
      watch.onChange(labels);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== trouble) watch.onError(why);
      trouble = why;
    }
  };
  let cancel = timers.after(POLL_MS, look);
  return { stop: () => cancel() };
}

const textOf = (labels: PodLabels): string => JSON.stringify([...labels].sort());
