/** An author's mistake, said where it was made: a value, never thrown across folders. */
export interface Problem {
  /** Closed machine word that becomes the `reason` of a status condition, e.g. `InvalidExpression`. */
  readonly reason: ProblemReason;
  /** Field path in the object, e.g. `spec.authorization.rules[0].deny.when[0].expression`. */
  readonly path: string;
  /** One sentence in sentence case, without a final full stop, that says what to write instead. */
  readonly message: string;
  /** `error` keeps the object from being accepted; `reference` makes `ResolvedRefs` false; `warning` is only said. */
  readonly severity: 'error' | 'reference' | 'warning';
}

/** The closed set of condition reasons, in CamelCase as Kubernetes writes them. */
export const PROBLEM_REASONS = [
  'AmbiguousMethods',
  'BodyNotForwarded',
  'CaseSensitivePath',
  'ClientAddressUnconfigured',
  'DuplicateDigest',
  'DuplicateName',
  'HostConflict',
  'HostNotGranted',
  'Invalid',
  'InvalidExpression',
  'InvalidPath',
  'KeyCanBeMissing',
  'LocalLimit',
  'NobodyAllowed',
  'PathOptionsConflict',
  'PolicyNotFound',
  'QuotaExceeded',
  'RoleCycle',
  'RoleNotFound',
  'SecretNotFound',
  'SecretNotOffered',
  'SecretsNotReadable',
  'SchemaOutdated',
  'SelectsNobody',
  'SubjectAmbiguous',
  'SubjectNotFound',
  'TargetConflict',
  'TargetNotSupported',
  'TransportUnknown',
  'UnknownField',
  'WildcardAudience',
] as const;

export type ProblemReason = (typeof PROBLEM_REASONS)[number];

/** Collects the problems of one object while it is compiled; `at` narrows the field path. */
export class ProblemList {
  readonly problems: Problem[];
  readonly path: string;

  constructor(path = 'spec', problems: Problem[] = []) {
    this.path = path;
    this.problems = problems;
  }

  /** The same list, one field or list index deeper. */
  at(step: string | number): ProblemList {
    const path = typeof step === 'number' ? `${this.path}[${step}]` : this.path === '' ? step : `${this.path}.${step}`;
    return new ProblemList(path, this.problems);
  }

  error(reason: ProblemReason, message: string): void {
    this.problems.push({ reason, path: this.path, message, severity: 'error' });
  }

  reference(reason: ProblemReason, message: string): void {
    this.problems.push({ reason, path: this.path, message, severity: 'reference' });
  }

  warn(reason: ProblemReason, message: string): void {
    this.problems.push({ reason, path: this.path, message, severity: 'warning' });
  }

  get hasErrors(): boolean {
    return this.problems.some((p) => p.severity === 'error');
  }
}
