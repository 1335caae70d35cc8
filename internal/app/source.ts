import type { Refusal } from '../core/decision.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import type { SourceObject } from '../policy/object.ts';
import type { RecordedSpec } from '../policy/recorded-spec.ts';
import type { Build, Horizon, ObjectReport, PolicyFeed } from '../policy/store.ts';

/** A cluster as the log names it. */
export interface Cluster {
  readonly apiServer: string;
  /** The kubeconfig's, or the library's word for a Pod's own account. */
  readonly context: string;
}

/** Where objects come from: a directory or a cluster. */
export interface PolicySourceAdapter {
  /** Which cluster objects come from; undefined where they come from files. */
  readonly cluster?: Cluster;
  /** Secrets of one namespace, as far as they are known now. */
  secrets(namespace: string): SecretLookup;
  /** What an object carries of the last spec that was accepted; files carry nothing that is believed. */
  readonly recordedSpec?: (object: SourceObject) => RecordedSpec | undefined;
  /** Begins to feed the store; calls `complete` on it once everything has been given. */
  start(store: PolicyFeed): Promise<void>;
  /** What the last build found with what only this source knows besides, as its statuses say it. */
  readonly reports?: () => readonly ObjectReport[];
  /** Told what each build found, for status and log. */
  report(build: Pick<Build, 'reports' | 'horizon'>): void;
  /** How far its watches have come; undefined for a source without a history. */
  readonly horizon?: () => Horizon | undefined;
  /** Why checks may not be answered by what is known now, although there is a snapshot. */
  readonly notNow?: () => Refusal | undefined;
  /** Until when others count on this instance, by the monotonic clock; where there is `notNow`. */
  readonly heldUntilMs?: () => number;
  /** Resolves when the first snapshot may answer; a source without it lets every snapshot. */
  readonly admitted?: Promise<void>;
  /** Pages of the debug server that only this source can fill. */
  readonly problems: () => readonly unknown[];
  /** How many mistakes keep something from being read; undefined where nothing is read from files. */
  readonly fileProblems?: () => number;
  /** Why the instance should get no checks, whatever it serves; undefined where there is no reason. */
  readonly notReady?: () => string | undefined;
  /** What the first snapshot waits for, and what keeps it from coming; undefined where it is not to be told. */
  readonly awaited?: () => string | undefined;
  stop(): Promise<void>;
}
