import { LRUCache } from 'lru-cache';
import type { Edits, HeaderAction, HeaderEdit } from '../core/decision.ts';
import type { Carrier } from '../core/evaluation.ts';
import type { Expression } from '../match/expression/expression.ts';
import { foldName, isOddName, OVERRIDE_HEADERS, OVERRIDES, type OwnHeaders, ownHeaders } from './own-headers.ts';

/** A header that the policy gives the upstream, from an expression. */
export interface UpstreamHeader {
  readonly name: string;
  readonly value: Expression;
  readonly action: HeaderAction;
  readonly missing: 'Remove' | 'Deny';
}

/** What an allow by this policy changes, as far as it is known when the policy arrives. */
export interface EditPlan {
  readonly upstreamHeaders: readonly UpstreamHeader[];
  /** Headers that never reach the upstream as the client sent them: credentials, overrides of method and path. */
  readonly headersToRemove: readonly string[];
  /** The same with what Audit leaves in place: credentials stay. */
  readonly headersToRemoveInAudit: readonly string[];
  /** Schemes of Authorization that the upstream must not see; another scheme's credential stays. */
  readonly schemesToRemove: readonly Carrier[];
  readonly queryToRemove: readonly string[];
  readonly cookiesToRemove: ReadonlySet<string>;
  /** Names of `upstreamHeaders` and the removed ones. */
  readonly names: ReadonlySet<string>;
  /** The same as CGI folds them, to find other spellings of them. */
  readonly folded: ReadonlySet<string>;
  /** Headers that others of the host set, as CGI folds them; `kept` is what of them stays as the client sent it. */
  readonly siblings: ReadonlySet<string>;
  readonly kept: ReadonlySet<string>;
  readonly keptInAudit: ReadonlySet<string>;
  /** A plain name of a request can be one to remove: some are themselves other spellings, as `x_caller`, or not listed. */
  readonly looksAtAll: boolean;
  /** What never arrives of a request in Audit that could not be evaluated. */
  readonly own: OwnHeaders;
  /** Headers of every answer to a request that is known to have come by TLS. */
  readonly overTls: readonly HeaderEdit[];
  /** The edits of every request that holds nothing to be looked at; undefined where each has its own. */
  readonly fixed: FixedEdits | undefined;
  readonly fixedInAudit: FixedEdits | undefined;
}

export interface FixedEdits {
  readonly plain: Edits;
  readonly overTls: Edits;
}

export interface EditInputs {
  readonly upstreamHeaders: readonly UpstreamHeader[];
  readonly keepHeaders: readonly string[];
  /** Carriers of credentials that the upstream must not see, and of those that it is to see. */
  readonly credentials: readonly Carrier[];
  readonly forwarded: readonly Carrier[];
  readonly overTls: readonly HeaderEdit[];
}

const NOTHING: readonly never[] = Object.freeze([]);
const NOBODY: ReadonlySet<string> = new Set();

/** Policies that set no header of their own have a few plans between them: shared, they are encoded once. */
const plans = new LRUCache<string, EditPlan>({ max: 1024 });

export function compileEdits(inputs: EditInputs): EditPlan {
  const { upstreamHeaders, ...others } = inputs;
  if (upstreamHeaders.length > 0) return compileAnew(inputs);
  const key = JSON.stringify([others.keepHeaders, others.credentials, others.forwarded, others.overTls]);
  const known = plans.get(key) ?? compileAnew(inputs);
  plans.set(key, known);
  return known;
}

function compileAnew({ keepHeaders, credentials, forwarded, overTls, ...inputs }: EditInputs): EditPlan {
  const named = (kind: Carrier['kind']): string[] =>
    credentials.filter((carrier) => carrier.kind === kind).map((carrier) => carrier.name);
  const overrides = Object.freeze(OVERRIDE_HEADERS.filter((name) => !keepHeaders.includes(name)));
  const headersToRemove = Object.freeze([...new Set([...overrides, ...named('header')])]);
  const schemesToRemove = credentials.filter((carrier) => carrier.kind === 'authorizationScheme');
  const lost = new Set([...headersToRemove, ...(schemesToRemove.length > 0 ? ['authorization'] : [])]);
  const upstreamHeaders = inputs.upstreamHeaders.map((header) => withoutClients(header, lost));
  const names = [...headersToRemove, ...upstreamHeaders.map((header) => header.name)];
  const kept = [...keepHeaders, ...forwarded.flatMap(headerOf)].map(foldName);
  return withFixed({
    upstreamHeaders,
    headersToRemove,
    headersToRemoveInAudit: overrides,
    schemesToRemove,
    queryToRemove: Object.freeze(named('query')),
    cookiesToRemove: new Set(named('cookie')),
    names: new Set(names),
    folded: new Set(names.map(foldName)),
    siblings: NOBODY,
    kept: new Set(kept),
    keptInAudit: new Set([...kept, ...credentials.flatMap(headerOf).map(foldName)]),
    looksAtAll: names.some(isOddName),
    own: ownHeaders(upstreamHeaders.filter(isSet).map((header) => header.name)),
    overTls,
  });
}

/** What an upstream may believe: nobody believes what stands beside a client's own value. */
const isSet = ({ action }: UpstreamHeader): boolean => action === 'Set';

/**
 * A value that tells of the request or its caller never stands beside what the client says under that name, and an
 * action does not keep what is removed anyway: there is nothing left to append to, and nothing that is not absent.
 */
function withoutClients(header: UpstreamHeader, lost: ReadonlySet<string>): UpstreamHeader {
  const isConstant = header.value.attributes.size === 0;
  return isConstant && !lost.has(header.name) ? header : { ...header, action: 'Set' };
}

/** The header that a credential in this carrier stands in. */
function headerOf({ kind, name }: Carrier): readonly string[] {
  if (kind === 'query') return NOTHING;
  if (kind === 'header') return [name];
  return kind === 'cookie' ? ['cookie'] : ['authorization'];
}

function withFixed(plan: Omit<EditPlan, 'fixed' | 'fixedInAudit'>): EditPlan {
  const hasOwnEach = plan.upstreamHeaders.length > 0;
  const fixed = (removed: readonly string[], query: readonly string[]): FixedEdits => {
    const edits = (responseHeaders: readonly HeaderEdit[]): Edits =>
      Object.freeze({
        requestHeaders: NOTHING,
        requestHeadersToRemove: removed,
        queryToRemove: query,
        responseHeaders,
      });
    return Object.freeze({ plain: edits(NOTHING), overTls: edits(plan.overTls) });
  };
  return Object.freeze({
    ...plan,
    fixed: hasOwnEach ? undefined : fixed(plan.headersToRemove, plan.queryToRemove),
    fixedInAudit: hasOwnEach ? undefined : fixed(plan.headersToRemoveInAudit, NOTHING),
  });
}

const unkept = new WeakMap<EditPlan, EditPlan>();

/**
 * The plan where a platform denies by methods and paths: headers by which an upstream takes a request for another are
 * removed, whatever `keepHeaders` names, or what is denied would come by them.
 */
export function withoutKeptOverrides(plan: EditPlan): EditPlan {
  const kept = OVERRIDE_HEADERS.filter((name) => !plan.headersToRemove.includes(name));
  if (kept.length === 0) return plan;
  let without = unkept.get(plan);
  if (without === undefined) {
    const stays = (names: ReadonlySet<string>): ReadonlySet<string> =>
      new Set([...names].filter((name) => !kept.some((header) => foldName(header) === name)));
    const isKept = (name: string): boolean => kept.some((header) => header === name);
    without = withFixed({
      ...plan,
      // One that the policy sets too stands beside nothing of the client's any more.
      upstreamHeaders: plan.upstreamHeaders.map((header) =>
        isKept(header.name) ? { ...header, action: 'Set' } : header,
      ),
      headersToRemove: Object.freeze([...kept, ...plan.headersToRemove]),
      headersToRemoveInAudit: Object.freeze([...kept, ...plan.headersToRemoveInAudit]),
      names: new Set([...plan.names, ...kept]),
      folded: new Set([...plan.folded, ...kept.map(foldName)]),
      kept: stays(plan.kept),
      keptInAudit: stays(plan.keptInAudit),
    });
    unkept.set(plan, without);
  }
  return without;
}

const besides = new WeakMap<OwnHeaders, WeakMap<EditPlan, EditPlan>>();

/**
 * The plan where all policies of a host set these headers: the upstream takes for true what it reads in them, whichever
 * policy lets the request in. Made when a policy of the host first allows; mostly nobody else sets any: then it is the plan.
 */
export function planBeside(plan: EditPlan, own: OwnHeaders): EditPlan {
  if (own === plan.own || own === OVERRIDES) return plan;
  let ofHost = besides.get(own);
  if (ofHost === undefined) {
    ofHost = new WeakMap();
    besides.set(own, ofHost);
  }
  let beside = ofHost.get(plan);
  if (beside === undefined) {
    beside = madeBeside(plan, own);
    ofHost.set(plan, beside);
  }
  return beside;
}

function madeBeside(plan: EditPlan, own: OwnHeaders): EditPlan {
  const isTheirs = (name: string): boolean => !plan.names.has(name) && !plan.kept.has(foldName(name));
  const theirs = [...own.listed].filter(isTheirs);
  const isWhole = own.listed.size === own.names.size;
  if (theirs.length === 0 && isWhole) return plan;
  const inAudit = theirs.filter((name) => !plan.keptInAudit.has(foldName(name)));
  return withFixed({
    ...plan,
    headersToRemove: Object.freeze([...plan.headersToRemove, ...theirs]),
    headersToRemoveInAudit: Object.freeze([...plan.headersToRemoveInAudit, ...inAudit]),
    names: new Set([...plan.names, ...theirs]),
    siblings: own.folded,
    looksAtAll: plan.looksAtAll || !isWhole || theirs.some(isOddName),
  });
}
