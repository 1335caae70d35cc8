import { CHART, helm } from '../../test/helm/chart.ts';
import { WRONG_VALUES } from '../../test/helm/wrong-values.ts';
import type { Figure } from '../figures.ts';

/** Wrong values that `helm install --dry-run=client` takes all the same. */
export async function measureValues(say: (line: string) => void): Promise<Figure[]> {
  let taken = 0;
  for (const [values] of WRONG_VALUES) {
    const { code } = await helm(['install', 'postern', CHART, '--dry-run=client'], { values });
    if (code !== 0) continue;
    taken += 1;
    say(`  taken: ${JSON.stringify(values)}`);
  }
  return [
    { key: 'helm_schema_bad', value: taken, unit: 'values files', bar: '0', note: `${WRONG_VALUES.length} wrong ones` },
  ];
}
