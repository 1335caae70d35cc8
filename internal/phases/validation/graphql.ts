import type { Refusal } from '../../core/decision.ts';
import { tooComplex } from './content-limits.ts';
import { graphqlTokens, MAX_GRAPHQL_TOKENS, type TokenBudget } from './graphql-tokens.ts';
import { type GraphqlDocument, graphqlDocument, type Selected } from './graphql-walk.ts';
import { malformed } from './unreadable.ts';

/** What a GraphQL request costs at most, whichever of its operations is run, its fragments taken in. */
export interface GraphqlShape {
  readonly graphqlDepth: number;
  readonly graphqlAliases: number;
}

const NOTHING: GraphqlShape = Object.freeze({ graphqlDepth: 0, graphqlAliases: 0 });
export const NO_GRAPHQL = malformed('the text is not a GraphQL document', 'graphql');
const TOO_LARGE = tooComplex('graphqlDepth');
/** Most fragments of one document: they are taken in one by one. */
const MAX_FRAGMENTS = 256;

const wholeBudget = (): TokenBudget => ({ left: MAX_GRAPHQL_TOKENS });

/** Measures one document. */
export function measureGraphql(text: string, budget = wholeBudget()): GraphqlShape | Refusal {
  const tokens = graphqlTokens(text, budget);
  if (tokens === 'large') return TOO_LARGE;
  const document = tokens && graphqlDocument(tokens);
  if (document === undefined) return NO_GRAPHQL;
  if (document.fragments.size > MAX_FRAGMENTS) return TOO_LARGE;
  const costs = costsOf(document);
  if (costs === undefined) return NO_GRAPHQL;
  return {
    graphqlDepth: Math.max(...costs.map(({ depth }) => depth)),
    graphqlAliases: Math.max(...costs.map(({ aliases }) => aliases)),
  };
}

/**
 * Measures what a JSON body asks: one request, or a list of them, which add up.
 *
 * @see https://graphql.github.io/graphql-over-http/ §5.3
 */
export function measureRequests(value: unknown): GraphqlShape | Refusal {
  const budget = wholeBudget();
  if (!Array.isArray(value)) return measureRequest(value, budget);
  let all = NOTHING;
  for (const one of value) {
    const shape = measureRequest(one, budget);
    if ('reason' in shape) return shape;
    all = {
      graphqlDepth: Math.max(all.graphqlDepth, shape.graphqlDepth),
      graphqlAliases: all.graphqlAliases + shape.graphqlAliases,
    };
  }
  return all;
}

/** One that names a stored document has no `query`, and nothing that could be measured. */
function measureRequest(value: unknown, budget: TokenBudget): GraphqlShape | Refusal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NO_GRAPHQL;
  const query: unknown = Object.hasOwn(value, 'query') ? (value as { readonly query?: unknown }).query : undefined;
  if (query === undefined || query === null) return NOTHING;
  return typeof query === 'string' ? measureGraphql(query, budget) : NO_GRAPHQL;
}

type Cost = Pick<Selected, 'depth' | 'aliases'>;

/** Of each operation; undefined where fragments take in each other. */
function costsOf({ operations, fragments }: GraphqlDocument): readonly Cost[] | undefined {
  const known = new Map<string, Cost | 'open'>();
  const costOf = ({ depth, aliases, spreads }: Selected): Cost | undefined => {
    const cost = { depth, aliases };
    for (const spread of spreads) {
      const inner = fragmentCost(spread.fragment);
      if (inner === undefined) return undefined;
      cost.depth = Math.max(cost.depth, spread.depth - 1 + inner.depth);
      cost.aliases += inner.aliases;
    }
    return cost;
  };
  /** One that is not there is an error of every server: it costs nothing. */
  const fragmentCost = (name: string): Cost | undefined => {
    const before = known.get(name);
    if (before !== undefined) return before === 'open' ? undefined : before;
    const fragment = fragments.get(name);
    if (fragment === undefined) return { depth: 0, aliases: 0 };
    known.set(name, 'open');
    const cost = costOf(fragment);
    if (cost !== undefined) known.set(name, cost);
    return cost;
  };
  const costs = operations.map(costOf);
  return costs.every((cost) => cost !== undefined) ? costs : undefined;
}
