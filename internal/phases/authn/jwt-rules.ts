import { hash } from 'node:crypto';
import type { PolicyRef } from '../../core/decision.ts';
import { parseDurationMs } from '../../core/duration.ts';
import type { ProblemList } from '../../core/problem.ts';
import type { KeySource, KeySources } from './key-source.ts';
import { ASYMMETRIC, type JwtSpec } from './spec.ts';

/** What a JWT method asks of a token, compiled. */
export interface JwtRules {
  readonly issuer: string;
  /** undefined: any audience, as the author said in so many words. */
  readonly audiences: readonly string[] | undefined;
  readonly algorithms: readonly string[];
  /** Lower case, without `application/`; undefined: the default of `verify-token.ts`. */
  readonly types: ReadonlySet<string> | undefined;
  readonly skewS: number;
  readonly requiredClaims: readonly RequiredClaim[];
  readonly groupsPath: readonly string[] | undefined;
  readonly keys: KeySource;
  /** Fixed length: SHA-256 over the policy's uid, generation, the method's name and its spec, each with its length. */
  readonly cachePrefix: string;
}

export interface RequiredClaim {
  readonly path: readonly string[];
  /** undefined: the claim has only to be there. */
  readonly value: string | undefined;
}

export interface JwtContext {
  readonly name: string;
  readonly policy: PolicyRef;
  readonly sources: KeySources;
}

/** A longer skew would keep expired tokens alive rather than make up for clocks. */
const MAX_SKEW_MS = 600_000;

/** Compiles one `jwt` method; undefined when it has no keys to verify with. */
export function compileJwt(spec: JwtSpec, context: JwtContext, problems: ProblemList): JwtRules | undefined {
  const algorithms = spec.algorithms ?? ASYMMETRIC;
  const skewMs = parseDurationMs(spec.clockSkew) ?? 0;
  if (skewMs > MAX_SKEW_MS) {
    problems.at('clockSkew').error('Invalid', `"${spec.clockSkew}" would keep expired tokens alive: at most "10m"`);
  }
  const audiences = audiencesOf(spec, problems.at('audiences'));
  const keys = keySourceOf(spec, { ...context, algorithms }, problems);
  if (keys === undefined) return undefined;
  const { policy, name } = context;
  return Object.freeze({
    issuer: spec.issuer,
    audiences,
    algorithms,
    types: spec.types && new Set(spec.types.map(typeName)),
    skewS: skewMs / 1000,
    requiredClaims: spec.requiredClaims.map(({ path, value }) => ({ path, value })),
    groupsPath: spec.groupsClaim?.path,
    keys,
    cachePrefix: cachePrefix([policy.uid, String(policy.generation), name, JSON.stringify(spec)]),
  });
}

/** `typ` without regard to case and to `application/`, which senders may leave out (RFC 7515 §4.1.9). */
export const typeName = (type: string): string => type.toLowerCase().replace(/^application\//, '');

/** A hash over parts with their lengths: no choice of parts reads like another. */
function cachePrefix(parts: readonly string[]): string {
  return hash('sha256', parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(''), 'base64url');
}

function audiencesOf({ audiences }: JwtSpec, problems: ProblemList): readonly string[] | undefined {
  if (!audiences.includes('*')) return audiences;
  if (audiences.length > 1)
    problems.error('Invalid', '"*" accepts every audience, so the others mean nothing: drop it or them');
  const message = 'Tokens that this issuer made for any other service are accepted: name your audience';
  problems.warn('WildcardAudience', message);
  return undefined;
}

interface KeyContext extends JwtContext {
  readonly algorithms: readonly string[];
}

function keySourceOf(spec: JwtSpec, context: KeyContext, problems: ProblemList): KeySource | undefined {
  const { algorithms } = context;
  const symmetric = algorithms.filter((algorithm) => algorithm.startsWith('HS')).length;
  if (symmetric > 0 && symmetric < algorithms.length) {
    const message = 'Symmetric and asymmetric algorithms never share a method: make two methods (RFC 8725 §3.1)';
    problems.at('algorithms').error('Invalid', message);
    return undefined;
  }
  if (symmetric > 0 && spec.jwks?.inline === undefined) {
    problems.at('algorithms').error('Invalid', 'Symmetric algorithms need jwks.inline: a fetched key set is public');
    return undefined;
  }
  const [at, source] = locate(spec, context, problems);
  if (typeof source !== 'string') return source;
  at.error('Invalid', source);
  return undefined;
}

function locate(
  { issuer, jwks }: JwtSpec,
  { algorithms, sources, policy: { namespace } }: KeyContext,
  problems: ProblemList,
): [ProblemList, KeySource | string] {
  if (jwks === undefined) return [problems.at('issuer'), sources.byDiscovery(issuer, namespace)];
  const at = problems.at('jwks');
  if (jwks.url !== undefined) return [at.at('url'), sources.byUrl(jwks.url, namespace)];
  const allowsSymmetric = algorithms.some((algorithm) => algorithm.startsWith('HS'));
  return [at.at('inline'), sources.inline(jwks.inline ?? '', allowsSymmetric)];
}
