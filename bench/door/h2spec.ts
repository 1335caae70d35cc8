import { obtainH2spec, runH2spec } from '../../test/http2/h2spec.ts';
import type { Figure } from '../figures.ts';
import { apiKeyPolicies } from '../policies.ts';
import { startPostern } from '../servers.ts';

/** What h2spec finds wrong with the door of the program that is shipped. */
export async function measureH2spec(say: (line: string) => void): Promise<Figure[]> {
  const program = await obtainH2spec();
  if ('missing' in program) throw new Error(program.missing);
  const server = await startPostern(apiKeyPolicies(1));
  const { passed, skipped, failed, failures } = await runH2spec(program.path, Number(server.target.split(':').at(-1)));
  await server.stop();
  if (failed > 0) say(failures);
  const note = `${passed} passed, ${skipped} skipped`;
  return [{ key: 'h2spec_failed', value: failed, unit: 'tests', bar: '0', note }];
}
