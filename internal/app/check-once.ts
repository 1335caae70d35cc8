import { type Attributes, headerFields } from '../core/attributes.ts';
import { PosternError } from '../core/error.ts';
import { REASONS } from '../core/reasons.ts';
import type { LocatedProblem } from '../files/parse-file.ts';
import type { Checked } from '../policy/evaluate.ts';
import { loadOffline } from './offline.ts';

/** One request as the command line writes it. */
export interface CheckInput {
  readonly url: string;
  readonly policies: string;
  readonly class: string;
  readonly method: string;
  readonly header: readonly (readonly [string, string])[];
  readonly data?: string;
  readonly client: string;
}

export interface CheckOutput {
  readonly isAllowed: boolean;
  readonly answer: object;
  readonly problems: readonly LocatedProblem[];
}

const CALL = {
  deadlineMs: undefined,
  isCancelled: () => false,
  trace: { startPhase: () => undefined, endPhase: () => undefined },
};

/** Decides one request by the policies of a directory, with the engine that serves. */
export async function checkOnce(input: CheckInput): Promise<CheckOutput> {
  const edge = {
    clientAddress: { kind: 'direct' },
    bodiesForwarded: true,
    transportTls: input.url.startsWith('https:'),
    trustContextExtensions: true,
  } as const;
  const offline = await loadOffline({ directory: input.policies, className: input.class, edge });
  try {
    const checked = await offline.engine.check(attributesOf(input), CALL);
    return { isAllowed: checked.decision.outcome === 'allow', answer: answerOf(checked), problems: offline.problems };
  } finally {
    await offline.close();
  }
}

/** The URL is split by hand: a parser would clean the path that is to be tried. */
const URL_PARTS = /^https?:\/\/([^/?#]+)([^#]*)$/;

function attributesOf({ url, method, header, data, client }: CheckInput): Attributes {
  const parts = URL_PARTS.exec(url);
  if (parts === null)
    throw new PosternError('ERR_POSTERN_CONFIG', `"${url}" is no URL: write it as http://localhost/v1/orders/7`);
  const peer = { address: client, principal: '', certificate: '' };
  const fields = data === undefined ? header : [...header, ['x-envoy-auth-partial-body', 'false'] as const];
  return {
    id: '',
    method,
    scheme: url.startsWith('https:') ? 'https' : 'http',
    host: parts[1] ?? '',
    target: parts[2] === '' ? '/' : (parts[2] ?? '/'),
    protocol: 'HTTP/1.1',
    headers: headerFields(fields),
    timeMs: 0,
    size: data === undefined ? 0 : Buffer.byteLength(data),
    body: data,
    source: peer,
    contextExtensions: new Map(),
    metadata: () => ({}),
    routeMetadata: () => undefined,
    tlsSession: undefined,
  };
}

function answerOf({ decision, evaluation }: Checked): object {
  const { outcome, reason, policy, refusal, findings, edits } = decision;
  return {
    decision: outcome,
    status: REASONS[reason].http,
    reason,
    ...(policy !== undefined && { policy: `${policy.namespace}/${policy.name}` }),
    ...(refusal?.rule !== undefined && { rule: refusal.rule }),
    ...(refusal?.detail !== undefined && { detail: refusal.detail }),
    ...(refusal?.cause !== undefined && { cause: refusal.cause }),
    ...(outcome !== 'allow' && { remedy: REASONS[reason].remedy }),
    ...(evaluation !== undefined && {
      identity: { kind: evaluation.identity.kind, subject: evaluation.identity.subject },
    }),
    ...(findings.length > 0 && { audit: findings }),
    ...(outcome === 'allow' && { edits }),
  };
}
