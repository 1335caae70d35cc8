import type { Steps } from '../core/breather.ts';
import type { HeaderEdit, PolicyRef } from '../core/decision.ts';
import { parseDurationMs } from '../core/duration.ts';
import type { ProblemList } from '../core/problem.ts';
import { PartsBudget } from '../match/expression/dear-parts.ts';
import { compileExpression } from '../match/expression/expression.ts';
import { compilePathTemplates, parsePathTemplate } from '../match/path-template.ts';
import type { Authentication, KeySources } from '../phases/authn/compile.ts';
import { compileAuthentication } from '../phases/authn/compile.ts';
import { issuerOfKeys } from '../phases/authn/consumers.ts';
import type { TokenCache } from '../phases/authn/jwt.ts';
import { compileAuthorization } from '../phases/authz/compile.ts';
import { compileRateLimits } from '../phases/ratelimit/compile.ts';
import type { RateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import { compileValidation } from '../phases/validation/compile.ts';
import type { CompiledPolicy, Target } from './compiled-policy.ts';
import { compileEdits, type EditPlan, type UpstreamHeader } from './edit-plan.ts';
import { checkExpressionSize } from './expression-size.ts';
import type { Knowledge } from './knowledge.ts';
import { stepsOf } from './phases.ts';
import { checkUpstreamHeader } from './reserved-headers.ts';
import type { ApiPolicySpec } from './resource/api-policy.ts';
import { warnAboutAttributes, warnAboutBodies, warnAboutTls } from './warn-about-instance.ts';
import type { Workload } from './workload.ts';

/** What compiled policies share: the instance's ports and what its flags promise. */
export interface PolicyPorts {
  readonly keySources: KeySources;
  readonly tokens: TokenCache;
  readonly limits: RateLimitPorts;
  readonly knows: Knowledge;
  /** Of a sidecar class, whose policies select Pods; absent elsewhere, where they claim hosts and routes. */
  readonly workload?: Workload | undefined;
}

/**
 * Compiles one APIPolicy, step by step: checks are answered in between. Gives undefined when something in it is wrong,
 * which `problems` then says.
 */
export function* compilePolicy(
  spec: ApiPolicySpec,
  ref: PolicyRef,
  { ports, problems }: { readonly ports: PolicyPorts; readonly problems: ProblemList },
): Steps<CompiledPolicy | undefined> {
  if (!checkExpressionSize(spec, 'policy', problems)) return undefined;
  const target = compileTarget(spec, ports.workload, problems.at('target'));
  const { caseInsensitive } = spec.target.pathOptions;
  const params = target?.paths.parameters ?? [];
  const budget = new PartsBudget();
  const authentication = yield* compileAuthentication(
    { authentication: spec.authentication, publicRoutes: spec.public },
    { policy: ref, sources: ports.keySources, caseInsensitive },
    problems,
  );
  // Of what is written, not of what compiled: a method that is wrong is not one that is missing as well.
  const methods = (spec.authentication?.methods ?? []).map(({ name, apiKey, jwt }) => ({
    name,
    issuer: jwt?.issuer ?? issuerOfKeys(ref.namespace),
    suppliesGroups: apiKey !== undefined || jwt?.groupsClaim !== undefined,
    suppliesScopes: jwt !== undefined,
  }));
  const authorization = yield* compileAuthorization(
    spec.authorization,
    { methods, params, caseInsensitive, budget },
    problems.at('authorization'),
  );
  const limits = yield* compileRateLimits(
    spec.rateLimits ?? [],
    {
      ownerUid: ref.uid,
      namespace: ref.namespace,
      params,
      caseInsensitive,
      mode: spec.mode,
      issuers: new Set(methods.map(({ issuer }) => issuer)),
      budget,
    },
    problems.at('rateLimits'),
  );
  const validation = yield* compileValidation(spec.validation, { params, budget }, problems.at('validation'));
  const edits = yield* compilePolicyEdits(spec, {
    authentication,
    params,
    caseInsensitive,
    budget,
    problems: problems.at('response'),
  });
  const attributes = new Set([
    ...authorization.attributes,
    ...edits.upstreamHeaders.flatMap(({ value }) => [...value.attributes]),
  ]);
  for (const { key, cost } of limits) {
    for (const { expression } of key) for (const name of expression.attributes) attributes.add(name);
    for (const name of cost?.attributes ?? []) attributes.add(name);
  }
  warnAboutAttributes(attributes, ports.knows, problems);
  if (validation?.body !== undefined) warnAboutBodies(ports.knows, problems.at('validation'));
  const asksForTls = spec.transport?.requireTLS === true || spec.transport?.hsts !== undefined;
  if (asksForTls) warnAboutTls(ports.knows, problems.at('transport'));
  if (target === undefined || problems.hasErrors) return undefined;
  const carriers = authentication.carriers.map(({ carrier }) => carrier);
  const readsQuery =
    validation?.readsQuery === true ||
    attributes.has('request.query') ||
    attributes.has('request.queryValues') ||
    carriers.some(({ kind }) => kind === 'query');
  const requiresTls = spec.transport?.requireTLS ?? false;
  return Object.freeze({
    ref,
    mode: spec.mode,
    target,
    steps: stepsOf({ requiresTls, readsQuery, authentication, authorization, limits, validation, ports }),
    edits,
    carriers,
    logAllowsPercent: spec.auditLog?.allows?.percent ?? 0,
    redactedHeaders: (spec.auditLog?.redact ?? []).flatMap(({ header }) => (header === undefined ? [] : [header.name])),
    countsLocally: limits.length > 0,
    readsBody: attributes.has('request.body'),
    held: undefined,
    attributes,
    roleRefs: authorization.roleRefs,
    patternParts: budget.patterns,
    problems: problems.problems,
  });
}

function compileTarget(
  { target }: ApiPolicySpec,
  workload: Workload | undefined,
  problems: ProblemList,
): Target | undefined {
  const claim = compileClaim(target, workload, problems);
  if (claim === undefined) return undefined;
  const paths = compilePathTemplates(target.paths, target.pathOptions, problems.at('paths'));
  if (paths === undefined) return undefined;
  const templates = target.paths.map((source, index) => parsePathTemplate(source, problems.at('paths').at(index)));
  return Object.freeze({
    get hosts() {
      return claim.hosts;
    },
    routes: claim.routes,
    templates: templates.filter((template) => template !== undefined),
    paths,
    pathOptions: target.pathOptions,
  });
}

/** Of a sidecar class policies select Pods; elsewhere they claim hosts or routes. Neither takes the other's. */
function compileClaim(
  { hosts = [], routes = [], workloadSelector }: ApiPolicySpec['target'],
  workload: Workload | undefined,
  problems: ProblemList,
): Pick<Target, 'hosts' | 'routes'> | undefined {
  const refuse = (field: string, message: string): undefined => {
    problems.at(field).error('TargetNotSupported', message);
  };
  if (workload === undefined) {
    if (workloadSelector !== undefined)
      return refuse('workloadSelector', 'Only sidecar classes select workloads: use hosts or routes here');
    // One that is written twice is one: the API server refuses a status that says a host twice.
    return {
      hosts: [...new Set(hosts)],
      routes: routes.map(({ kind, name, sectionName }) => ({ kind, name, sectionName })),
    };
  }
  if (workloadSelector === undefined)
    return refuse(
      hosts.length > 0 ? 'hosts' : 'routes',
      'Policies of a sidecar class select Pods, whatever the host: use workloadSelector here',
    );
  const labels = Object.entries(workloadSelector.matchLabels);
  return {
    get hosts() {
      return workload.hostsOf(labels);
    },
    routes: [],
  };
}

interface EditsContext {
  readonly authentication: Authentication;
  readonly params: readonly string[];
  readonly caseInsensitive: boolean;
  readonly budget: PartsBudget;
  readonly problems: ProblemList;
}

function* compilePolicyEdits(
  spec: ApiPolicySpec,
  { authentication, params, caseInsensitive, budget, problems }: EditsContext,
): Steps<EditPlan> {
  const upstreamHeaders: UpstreamHeader[] = [];
  for (const [index, header] of (spec.response?.upstreamHeaders ?? []).entries()) {
    const at = problems.at('upstreamHeaders').at(index);
    checkUpstreamHeader(header.name, at.at('name'));
    const value = yield* compileExpression(
      header.value.expression,
      { result: 'key', params, caseInsensitive, use: 'key', budget },
      at.at('value').at('expression'),
    );
    if (value !== undefined)
      upstreamHeaders.push({ name: header.name, value, action: header.action, missing: header.missing });
  }
  const overTls: HeaderEdit[] = [];
  const maxAge = spec.transport?.hsts?.maxAge;
  if (maxAge !== undefined) {
    const seconds = Math.floor((parseDurationMs(maxAge) ?? 0) / 1000);
    overTls.push({ name: 'strict-transport-security', value: `max-age=${seconds}`, action: 'Set' });
  }
  return compileEdits({
    upstreamHeaders,
    keepHeaders: spec.response?.keepHeaders ?? [],
    credentials: authentication.removals,
    forwarded: authentication.forwarded,
    overTls,
  });
}
