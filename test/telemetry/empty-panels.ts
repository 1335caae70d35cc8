import {
  type Choice,
  type DashboardModel,
  expanded,
  labelValuesOf,
  queriesOf,
  shippedDashboards,
} from './dashboard-queries.ts';
import type { Prometheus } from './prometheus.ts';

interface Vector {
  readonly result: readonly { readonly value: readonly [number, string] }[];
}

/** A query that the real Prometheus answered with an error, with nothing or with no number, and what it said last. */
export interface EmptyQuery {
  readonly place: string;
  readonly expr: string;
  readonly why: string;
}

/** Numbers that came: a share of nothing is no number, and shows as little as no series. */
const hasNumber = ({ result }: Vector): boolean => result.some(({ value }) => value[1] !== 'NaN');

/**
 * Runs every query of every panel, and of every variable, of the dashboards that are shipped.
 *
 * @param choice what is chosen of the variables; everything without
 * @param patienceMs how long something may take to come
 */
export async function emptyQueries(
  prometheus: Prometheus,
  choice: Choice = {},
  patienceMs = 20_000,
): Promise<readonly EmptyQuery[]> {
  const empty: EmptyQuery[] = [];
  const expect = async (place: string, expr: string, ask: () => Promise<unknown>): Promise<void> => {
    await ask().catch((error: Error) => void empty.push({ place, expr, why: error.message }));
  };
  for (const model of shippedDashboards()) {
    for (const { place, expr } of queriesOf(model)) {
      const path = `/api/v1/query?query=${encodeURIComponent(expanded(expr, choice))}`;
      await expect(place, expr, () => prometheus.ask<Vector>(path, hasNumber, patienceMs));
    }
    for (const { place, expr, path } of variablesOf(model, choice))
      await expect(place, expr, () =>
        prometheus.ask<readonly string[]>(path, (values) => values.length > 0, patienceMs),
      );
  }
  return empty;
}

const variablesOf = ({ title, templating }: DashboardModel, choice: Choice) =>
  templating.list
    .filter(({ type }) => type === 'query')
    .map((variable) => {
      const { selector, label } = labelValuesOf(variable);
      const path = `/api/v1/label/${label}/values?match[]=${encodeURIComponent(expanded(selector, choice))}`;
      return { place: `${title} / ${variable.name}`, expr: selector, path };
    });

/** How many queries there are: what is counted as not empty was run. */
export const queryCount = (): number =>
  shippedDashboards().reduce((sum, model) => sum + queriesOf(model).length + variablesOf(model, {}).length, 0);
