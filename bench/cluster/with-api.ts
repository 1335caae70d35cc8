import { setTimeout as wait } from 'node:timers/promises';
import { type ApiServer, startApiServer } from '../../test/components/api-server.ts';
import { obtainKubernetes } from '../../test/components/kubernetes.ts';
import { closeClients } from '../../test/door/client.ts';
import type { Figure } from '../figures.ts';
import { createAll, EVERY_HOST } from './objects.ts';

type Say = (line: string) => void;

/** How long an API server takes to have new definitions and admission policies in force everywhere. */
const IN_FORCE_MS = 3000;

/** What measures with an API server of its own: an empty one, or one that has the definitions and a grant. */
export const withApi =
  (measure: (api: ApiServer, say: Say) => Promise<Figure[]>, has: 'definitions' | 'nothing' = 'definitions') =>
  async (say: Say): Promise<Figure[]> => {
    const found = await obtainKubernetes();
    if (!('path' in found)) throw new Error(found.missing);
    const api = await startApiServer(found.path);
    try {
      if (has === 'definitions') {
        await api.kubectl(['apply', '-f', 'deploy/crds']);
        await wait(IN_FORCE_MS);
        await createAll(api, [EVERY_HOST]);
      }
      return await measure(api, say);
    } finally {
      closeClients();
      await api.stop();
    }
  };
