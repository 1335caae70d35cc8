import type { ErrorCode } from '../core/error.ts';
import type { MetricsExport } from '../telemetry/metrics-export.ts';
import type { Change } from './change.ts';
import type { SecretAnswer } from './secret-answers.ts';
import type { Records } from './serving-state.ts';
import type { Verdict } from './verdict.ts';

/** The doors whose connections the main process takes, by the options that give their addresses. */
export type HandedDoor = 'grpc-addr' | 'http-addr';

/** What a worker is told first: it reads no flag, variable or file of its own. */
export interface WorkerStart {
  /** 1 for the first. */
  readonly index: number;
  /** Counts up with each that has its index. */
  readonly generation: number;
  readonly count: number;
  /** Of all options that were given: their texts. */
  readonly options: Readonly<Record<string, string>>;
  readonly otel: Readonly<Record<string, string | undefined>>;
  /** Where the API server is; undefined where policies are files. */
  readonly apiServer: string | undefined;
  /** Labels of the Pod, in a sidecar. */
  readonly labels: ReadonlyMap<string, string> | undefined;
  /** A folder of this instance's own processes. */
  readonly directory: string;
  /** Generations of the other workers, by index. */
  readonly peers: ReadonlyMap<number, number>;
  /** The main process says whether checks may be answered. */
  readonly hasVerdicts: boolean;
}

/** From the main process to a worker. */
export type ToWorker =
  | { readonly kind: 'start'; readonly start: WorkerStart }
  /** Parts of the batch that `build` ends. */
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  | { readonly kind: 'secrets'; readonly secrets: readonly SecretAnswer[] }
  | { readonly kind: 'build'; readonly number: number; readonly records: Records | undefined }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'serving'; readonly isServing: boolean }
  /** With the connection itself. */
  | { readonly kind: 'connection'; readonly door: HandedDoor }
  | { readonly kind: 'peer'; readonly index: number; readonly generation: number }
  /** Asks for what it counted. */
  | { readonly kind: 'metrics' }
  | { readonly kind: 'drain'; readonly timeoutMs: number; readonly delayMs: number }
  /** All have drained: nobody asks another for anything any more. */
  | { readonly kind: 'leave' };

/** From a worker to the main process. */
export type FromWorker =
  /** Its doors are there, without policies. */
  | { readonly kind: 'loaded' }
  /** It serves a batch, or what followed from it. */
  | { readonly kind: 'served'; readonly number: number }
  /** It has the connection that it was given first of those that it had not. */
  | { readonly kind: 'taken' }
  /** It could not build a batch, and tries again. */
  | { readonly kind: 'notBuilt' }
  /** It could not begin, and ends. */
  | { readonly kind: 'notBegun'; readonly why: string; readonly code: ErrorCode | undefined }
  /** `closed`: connections that it was given and that are no more. */
  | { readonly kind: 'alive'; readonly closed: number; readonly keys: number }
  | { readonly kind: 'metrics'; readonly metrics: MetricsExport }
  | { readonly kind: 'keys'; readonly url: string; readonly why: string | undefined }
  /** It answers no check any more. */
  | { readonly kind: 'drained' };
