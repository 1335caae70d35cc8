import { pathProblem } from '../config/paths.ts';
import { type Attributes, headerFields } from '../core/attributes.ts';
import { systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { REASONS } from '../core/reasons.ts';
import type { FileObject, LocatedProblem } from '../files/parse-file.ts';
import { readPodLabels } from '../kube/pod-labels.ts';
import type { Checked } from '../policy/checked.ts';
import type { PodLabels } from '../policy/workload.ts';
import { classesOf, DEFAULT_CLASS, noneOf } from './lint.ts';
import { type HostGrantsRule, loadOffline } from './offline.ts';
import { readPolicyFiles } from './policy-files.ts';
import { type Header, type RequestUrl, readClient, readHeaders, readInstant, readUrl } from './request-options.ts';

/** One request as the command line writes it. */
export interface CheckInput {
  readonly url: string;
  readonly policies: string;
  /** Absent: the gateways' default; for a Pod it has to be given. */
  readonly class?: string;
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
  const { class: className = DEFAULT_CLASS, hostGrants } = input;
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
    return {
      isAllowed: checked.decision.outcome === 'allow',
      answer: answerOf(checked),
      problems: [...problems, ...offline.problems],
      notes: [...withoutPolicies(className, { objects, seen, pod }), ...offline.keyTroubles],
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
function podOf({ workloadLabels, namespace, hostGrants, class: className }: CheckInput): Pod | undefined {
  const wrong = (message: string): PosternError => new PosternError('ERR_POSTERN_CONFIG', message);
  if (workloadLabels === undefined) {
    if (namespace === undefined) return undefined;
    throw wrong('--namespace goes with --workload-labels: a gateway decides for every namespace of the files');
  }
  if (namespace === undefined || namespace === '')
    throw wrong('--workload-labels needs --namespace: that of the Pod, whose policies its sidecar reads');
  if (className === undefined)
    throw wrong(
      `--workload-labels needs --class: that of the sidecars, as their policies write it in spec.className (the default, ${DEFAULT_CLASS}, is the gateways')`,
    );
  if (hostGrants !== undefined)
    throw wrong('--host-grants has no effect in a sidecar class, whose policies select Pods');
  return { namespace, labels: readPodLabels(workloadLabels) };
}

/** A sidecar reads what is of its namespace and of the cluster. */
const isSeenBy = (namespace: string, { object }: FileObject): boolean =>
  object.metadata.namespace === '' || object.metadata.namespace === namespace;

interface Judged {
  readonly objects: readonly FileObject[];
  /** Those of them that decide. */
  readonly seen: readonly FileObject[];
  readonly pod: Pod | undefined;
}

/** What to say where no policy is of the class, or none in the namespace of the Pod. */
function withoutPolicies(className: string, { objects, seen, pod }: Judged): readonly string[] {
  if (classesOf(seen).has(className)) return [];
  const ofClass = objects.filter((file) => classesOf([file]).has(className));
  if (pod === undefined || ofClass.length === 0) return [noneOf(className, classesOf(objects)).message];
  const elsewhere = [...new Set(ofClass.map(({ object }) => object.metadata.namespace))].join(', ');
  return [
    `no policy of the class "${className}" in the namespace "${pod.namespace}": the files hold policies of it in ${elsewhere}`,
  ];
}

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
