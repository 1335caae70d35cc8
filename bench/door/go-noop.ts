import { join } from 'node:path';
import { obtainGoProgram } from '../../test/components/go-program.ts';
import { type BenchServer, startOther } from '../servers.ts';

/** Starts ext_authz by grpc-go with one answer for all, on the servers' core and with one processor of its own. */
export async function startGoNoop(): Promise<BenchServer> {
  const source = join(import.meta.dirname, 'go-noop');
  const found = await obtainGoProgram({ name: 'go-noop', title: 'the no-op of grpc-go', source });
  if ('missing' in found) throw new Error(found.missing);
  return startOther(found.path, { env: { GOMAXPROCS: '1' } });
}
