import { canonicalAddress } from '../../core/address.ts';
import { type Dialect, isSecureScheme, single, type Told } from './dialect.ts';
import { fieldReader, type HttpMessage } from './http-message.ts';

/** What the location that asks has to write, each once: a client's own copy is overwritten by the same line. */
const FIELDS = Object.freeze({
  method: ['x-original-method', '$request_method'],
  target: ['x-original-uri', '$request_uri'],
  host: ['x-original-host', '$host'],
  scheme: ['x-forwarded-proto', '$scheme'],
  address: ['x-real-ip', '$remote_addr'],
} as const);
type Field = keyof typeof FIELDS;

const ALL = Object.keys(FIELDS) as Field[];
const fieldsOf = fieldReader({
  // What the upstream gets of these is the client's or another location's word.
  own: ALL.map((field) => FIELDS[field][0]),
  // nginx leaves them out unless a location sets them, as the upstream's may.
  untold: ['te', 'upgrade'],
  isJoined: false,
});

/** nginx's `auth_request`: a GET without body beside the request, which five headers tell of. */
export const NGINX: Dialect = {
  path: '/check/nginx',
  isPrefix: false,
  takesBody: false,
  removesListed: false,
  read,
  timeoutMs: () => undefined,
  // It knows 401 and 403 as refusals; of anything else it makes a 500 (seen on 1.22.1).
  statusOf: (http) => (http === 401 ? 401 : 403),
};

function read({ lines }: HttpMessage): Told | string {
  const told: Record<Field, string> = { method: '', target: '', host: '', scheme: '', address: '' };
  for (const field of ALL) {
    const [name, variable] = FIELDS[field];
    const found = single(lines, name, `write "proxy_set_header ${name} ${variable};" in the location that asks`);
    if ('problem' in found) return found.problem;
    told[field] = found.value;
  }
  const cameByTls = isSecureScheme(told.scheme);
  if (cameByTls === undefined) return 'x-forwarded-proto is neither http nor https: write $scheme for it';
  const { method, target, host, scheme } = told;
  const headers = fieldsOf(lines);
  // A listener on a unix socket has no peer with an address, and nginx says `unix:`.
  return { method, target, host, scheme, headers, size: -1, address: canonicalAddress(told.address) ?? '', cameByTls };
}
