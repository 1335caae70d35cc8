// The requests of the case files as messages, and doors that decide them: the same policies, at the same time, behind both.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { createCheckBytes } from '../../../internal/extauthz/check.ts';
import type { GrpcDoor } from '../../../internal/extauthz/grpc-door.ts';
import { encodeRequest } from '../../../internal/extauthz/wire.fixture.ts';
import { NO_SPAN } from '../../../internal/telemetry/tracing.ts';
import { type CaseRequest, type Instance, type Loaded, load } from '../../cases/run-case.ts';
import { startDoor, type Transport } from '../../door/door-client.ts';

export interface CaseFile {
  readonly file: string;
  readonly instance?: Instance;
  readonly objects: string;
  readonly cases: readonly Case[];
}

interface Case {
  readonly apply?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  readonly after?: number;
  readonly times?: number;
  readonly request?: CaseRequest;
}

const FOLDER = resolve(import.meta.dirname, '../../cases');

export const caseFiles = (): readonly CaseFile[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((file) => ({ file, ...(parse(readFileSync(join(FOLDER, file), 'utf8')) as Omit<CaseFile, 'file'>) }));

/** A door that decides by the objects of a case file, with a clock that stands still unless it is moved. */
export interface CaseDoor {
  readonly door: GrpcDoor;
  readonly loaded: Loaded;
}

export async function startCaseDoor({ objects, instance }: CaseFile, transport: Transport): Promise<CaseDoor> {
  const loaded = await load(objects, instance);
  const observer = { begin: () => ({ span: NO_SPAN, startMs: 0 }), finish: () => undefined };
  const { engine, clock } = loaded;
  const check = createCheckBytes({ engine, observer, maxWaiting: 1000, clock, newDecisionId: () => 'decision' });
  return { loaded, door: await startDoor({ check, maxReceiveBytes: 1024 * 1024 }, transport) };
}

/** What happens before a case. */
export async function prepare({ loaded }: CaseDoor, { apply, labels, remove, after = 0 }: Case): Promise<void> {
  if (remove !== undefined) await loaded.remove(remove);
  if (apply !== undefined) await loaded.apply(apply);
  if (labels !== undefined) await loaded.relabel(labels);
  loaded.clock.nowMs += after;
}

/** A case's request as a CheckRequest, in one of the forms that Envoy has for headers and bodies. */
export function messageOf(request: CaseRequest, nowMs: number, isRaw: boolean): Buffer {
  const { method = 'GET', host = 'api.example.org', path = '/', body } = request;
  const fields = Object.entries(request.headers ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value) => [name.toLowerCase(), value] as const),
  );
  if (request.bodyMark !== undefined) fields.push(['x-envoy-auth-partial-body', request.bodyMark]);
  return encodeRequest({
    attributes: {
      source: {
        address: { socket_address: { address: request.client ?? '192.0.2.1', port_value: 4711 } },
        principal: request.principal ?? '',
      },
      request: {
        time: { seconds: Math.floor(nowMs / 1000), nanos: (nowMs % 1000) * 1e6 },
        http: {
          id: request.id ?? '1234567890123456789',
          ...{ method, host, path, scheme: 'http', protocol: 'HTTP/1.1' },
          size: body === undefined ? 0 : Buffer.byteLength(body),
          ...(isRaw ? { header_map: { headers: fields.map(rawHeader) } } : { headers: joined(fields) }),
          ...(body !== undefined && (isRaw ? { raw_body: Buffer.from(body) } : { body })),
        },
      },
      context_extensions: request.context ?? {},
      ...(request.tls === true && { tls_session: { sni: host } }),
    },
  });
}

const rawHeader = ([key, value]: readonly [string, string]): object => ({ key, raw_value: Buffer.from(value) });

function joined(fields: readonly (readonly [string, string])[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) headers[name] = name in headers ? `${headers[name]},${value}` : value;
  return headers;
}
