import type { Attributes, HeaderFields } from '../core/attributes.ts';
import { REASONS } from '../core/reasons.ts';
import type { Checked } from '../policy/checked.ts';
import { bounded, queryNames, REDACTED, redactPath, redactText } from './redact.ts';
import { sentSecrets } from './sent-secrets.ts';

/**
 * One decision as log fields and span attributes: vocabulary names, flat, values of bounded length. No header, cookie,
 * query value or body; what the request presents as a credential is blotted out wherever else it turns up.
 */
export type DecisionRecord = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Where the check came from and how long it took. */
export interface Seen {
  readonly attributes: Attributes | undefined;
  readonly traceId: string | undefined;
  readonly durationMs: number;
}

const MAX_METHOD = 64;
const MAX_HOST = 255;
const MAX_CAUSE = 512;
const MAX_WORD = 256;
const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NO_TRACE = '0'.repeat(32);
const REQUEST_ID = /^[A-Za-z0-9._:=+/-]{1,128}$/;

export function decisionRecord(checked: Checked, seen: Seen): DecisionRecord {
  const { decision } = checked;
  const { policy, refusal, findings } = decision;
  const { phase, http } = REASONS[decision.reason];
  const secrets = sentSecrets(checked, seen.attributes);
  return {
    decision_id: decision.decisionId,
    trace_id: seen.traceId ?? fromHeader('traceparent', checked, traceIdOf(seen.attributes)),
    ...requestFields(checked, seen.attributes, secrets),
    policy: policy === undefined ? 'none' : `${policy.namespace}/${policy.name}`,
    policy_uid: policy?.uid,
    policy_generation: policy?.generation,
    phase,
    rule: refusal?.rule,
    reason: decision.reason,
    decision: decision.outcome,
    detail: refusal?.detail === undefined ? undefined : redactText(refusal.detail, secrets, MAX_CAUSE),
    cause: refusal?.cause === undefined ? undefined : redactText(refusal.cause, secrets, MAX_CAUSE),
    findings: findings.length === 0 ? undefined : findings.map(findingText),
    ...identityFields(checked),
    status: decision.outcome === 'allow' ? undefined : http,
    duration_ms: Math.round(seen.durationMs * 1000) / 1000,
  };
}

/** The canonical request; where there is none, what the door was told. */
function requestFields(checked: Checked, attributes: Attributes | undefined, secrets: readonly string[]) {
  const { request } = checked;
  const told = request ?? attributes;
  if (told === undefined) return undefined;
  return {
    request_id: bounded(told.id, MAX_WORD),
    /** As the client or Envoy sent it: for finding the access log's line, never for anything else. */
    x_request_id: fromHeader('x-request-id', checked, sentIdOf(told.headers, secrets)),
    method: redactText(told.method, secrets, MAX_METHOD),
    host: redactText(told.host, secrets, MAX_HOST),
    path: redactPath(request?.path ?? attributes?.target ?? '', secrets),
    query: request === undefined || request.query.size === 0 ? undefined : queryNames(request.query, secrets),
    'client.address': request?.client.address ?? undefined,
    'source.address': bounded(told.source.address, MAX_WORD),
    'source.principal': told.source.principal === '' ? undefined : redactText(told.source.principal, [], MAX_WORD),
  };
}

/** What was proved: only the credential that did so is looked for in it, or a client could blot itself out. */
function identityFields({ evaluation }: Checked) {
  if (evaluation === undefined) return undefined;
  const secret = evaluation.credential && [evaluation.credential.value];
  const { kind, issuer, subject, id, method } = evaluation.identity;
  return {
    'identity.kind': kind,
    'identity.issuer': issuer === null ? undefined : redactText(issuer, secret, MAX_WORD),
    'identity.subject': subject === null ? undefined : redactText(subject, secret, MAX_WORD),
    'identity.id': id ?? undefined,
    'identity.method': method ?? undefined,
  };
}

/**
 * A field that is a header's value, which the policy may want out of the log: also one that nobody can name any more,
 * where a check that waited was given up.
 */
function fromHeader(name: string, { policy, decision }: Checked, value: string | undefined): string | undefined {
  if (value === undefined || (policy === undefined && decision.outcome === 'fault')) return undefined;
  return policy?.redactedHeaders.includes(name) === true ? REDACTED : value;
}

function sentIdOf(headers: HeaderFields, secrets: readonly string[]): string | undefined {
  const values = headers.get('x-request-id');
  const id = values?.length === 1 ? values[0] : undefined;
  return id !== undefined && REQUEST_ID.test(id) ? redactText(id, secrets) : undefined;
}

/** The trace the request says it belongs to, while tracing is off (W3C Trace Context §3.2.2; one header, version 00). */
function traceIdOf(attributes: Attributes | undefined): string | undefined {
  const values = attributes?.headers.get('traceparent');
  const traceId = values?.length === 1 ? TRACEPARENT.exec(values[0] ?? '')?.[1] : undefined;
  return traceId === NO_TRACE ? undefined : traceId;
}

const findingText = ({ outcome, reason, rule }: Checked['decision']['findings'][number]): string =>
  `${outcome} ${reason}${rule === undefined ? '' : ` ${rule}`}`;
