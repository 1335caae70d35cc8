import { pathProblem } from '../config/paths.ts';
import { type Attributes, headerFields } from '../core/attributes.ts';
import { systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { REASONS } from '../core/reasons.ts';
import type { FileObject, LocatedProblem } from '../files/parse-file.ts';
import { readPodLabels } from '../kube/pod-labels.ts';
import type { Checked } from '../policy/checked.ts';
import type { PodLabels } from '../policy/workload.ts';
import { classesOf, noneOf } from './lint.ts';
import { type HostGrantsRule, loadOffline } from './offline.ts';
import { readPolicyFiles } from './policy-files.ts';
import { type Header, type RequestUrl, readClient, readHeaders, readInstant, readUrl } from './request-options.ts';

/** One request as the command line writes it. */
export interface CheckInput {
  readonly url: string;
  readonly policies: string;
  readonly class: string;
  /** Who may claim a host; absent: as `loadOffline` reads it from the objects. */
  readonly hostGrants?: HostGrantsRule;
  /** A file with the labels of the Pod whose sidecar decides, and the namespace of that Pod: both or neither. */
  readonly workloadLabels?: string;
  readonly namespace?: string;
  readonly method: string;
  readonly header: readonly string[];
  readonly data?: string;
  readonly client: string;
  readonly now?: string;
}

export interface CheckOutput {
  readonly isAllowed: boolean;
  readonly answer: object;
  readonly problems: readonly LocatedProblem[];
  /** What else should be known of the answer, a sentence each. */
  readonly notes: readonly string[];
}

const CALL = {
  deadlineMs: undefined,
  isCancelled: () => false,
  trace: { startPhase: () => undefined, endPhase: () => undefined },
};

/**
 * Decides one request by the policies of a directory, with the engine that serves.
 *
 * @throws {PosternError} ERR_POSTERN_CONFIG for a request that makes no sense, ERR_POSTERN_FILE without policies
 */
export async function checkOnce(input: CheckInput): Promise<CheckOutput> {
  const url = readUrl(input.url);
  const { headers, host } = readHeaders(input.header);
  const client = readClient(input.client);
  const nowMs = input.now === undefined ? systemClock.wallMs() : readInstant(input.now);
  const missing = pathProblem(input.policies, 'directory');
  if (missing !== undefined) throw new PosternError('ERR_POSTERN_FILE', `--policies: ${missing}`);
  const { objects, problems } = await readPolicyFiles([input.policies]);
  const edge = {
    clientAddress: { kind: 'direct' },
    bodiesForwarded: true,
    transportTls: url.scheme === 'https',
    trustContextExtensions: true,
  } as const;
  const clock = { wallMs: () => nowMs, monotonicMs: systemClock.monotonicMs };
  const { class: className, hostGrants } = input;
  const pod = podOf(input);
  const seen = pod === undefined ? objects : objects.filter((file) => isSeenBy(pod.namespace, file));
  const offline = await loadOffline({
    objects: seen,
    className,
    edge,
    clock,
    isOpen: true,
    isSidecarClass: pod !== undefined,
    podLabels: pod?.labels,
    hostGrants,
  });
  try {
    const asked = { ...input, ...url, host: host ?? url.host, headers, client, nowMs };
    const checked = await offline.engine.check(attributesOf(asked), CALL);
    const classes = classesOf(objects);
    return {
      isAllowed: checked.decision.outcome === 'allow',
      answer: answerOf(checked),
      problems: [...problems, ...offline.problems],
      notes: [...(classes.has(input.class) ? [] : [noneOf(input.class, classes).message]), ...offline.keyTroubles],
    };
  } finally {
    await offline.close();
  }
}

interface Pod {
  readonly namespace: string;
  readonly labels: PodLabels;
}

/** Whose sidecar decides; undefined where a gateway does. What goes with the one and not with the other is refused. */
function podOf({ workloadLabels, namespace, hostGrants }: CheckInput): Pod | undefined {
  const wrong = (message: string): PosternError => new PosternError('ERR_POSTERN_CONFIG', message);
  if (workloadLabels === undefined) {
    if (namespace === undefined) return undefined;
    throw wrong('--namespace goes with --workload-labels: a gateway decides for every namespace of the files');
  }
  if (namespace === undefined || namespace === '')
    throw wrong('--workload-labels needs --namespace: that of the Pod, whose policies its sidecar reads');
  if (hostGrants !== undefined)
    throw wrong('--host-grants has no effect in a sidecar class, whose policies select Pods');
  return { namespace, labels: readPodLabels(workloadLabels) };
}

/** A sidecar reads what is of its namespace and of the cluster. */
const isSeenBy = (namespace: string, { object }: FileObject): boolean =>
  object.metadata.namespace === '' || object.metadata.namespace === namespace;

interface Asked extends RequestUrl {
  readonly method: string;
  readonly headers: readonly Header[];
  readonly data?: string;
  readonly client: string;
  readonly nowMs: number;
}

function attributesOf({ scheme, host, target, method, headers, data, client, nowMs }: Asked): Attributes {
  const fields = data === undefined ? headers : [...headers, ['x-envoy-auth-partial-body', 'false'] as const];
  return {
    id: '',
    method,
    scheme,
    host,
    target,
    protocol: 'HTTP/1.1',
    headers: headerFields(fields),
    timeMs: nowMs,
    size: data === undefined ? 0 : Buffer.byteLength(data),
    body: data,
    source: { address: client, principal: '', certificate: '' },
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
