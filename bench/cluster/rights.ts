import type { ApiServer } from '../../test/components/api-server.ts';
import { excess, exerciseRights, missing } from '../../test/helm/exercise.ts';
import type { Figure } from '../figures.ts';
import { withApi } from './with-api.ts';

/** The chart's roles against the API server's audit log. */
export const measureRights = withApi(rights, 'nothing');

async function rights(api: ApiServer, say: (line: string) => void): Promise<Figure[]> {
  const exercised = await exerciseRights(api);
  const unused = excess(exercised);
  const refused = missing(exercised);
  for (const one of unused) say(`  granted and not used: ${one}`);
  for (const one of refused) say(`  refused: ${one}`);
  const granted = exercised.reduce((sum, { granted: { size } }) => sum + size, 0);
  return [
    {
      key: 'rbac_excess',
      value: unused.length,
      unit: 'rights',
      bar: '0',
      note: `${granted} granted to ${exercised.length} accounts`,
    },
    { key: 'rbac_missing', value: refused.length, unit: 'requests', bar: '0' },
  ];
}
