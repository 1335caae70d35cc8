// Certificates for the tests, made on the spot: X.509 in DER (RFC 5280), as little of it as TLS asks for.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Certificate and key as PEM; what a CA needs to sign others. */
export interface Issued {
  readonly certificate: string;
  readonly privateKey: string;
  readonly name: string;
}

export interface Wanted {
  readonly name: string;
  /** Who signs; itself without. */
  readonly issuer?: Issued;
  readonly isCa?: boolean;
  /** Its only name, as a SPIFFE id, instead of those of loopback. */
  readonly uri?: string;
  /** Epoch milliseconds. */
  readonly notAfterMs?: number;
}

const OID_COMMON_NAME = Uint8Array.of(0x55, 0x04, 0x03);
const OID_ECDSA_SHA256 = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);
const OID_BASIC_CONSTRAINTS = Uint8Array.of(0x55, 0x1d, 0x13);
const OID_SUBJECT_ALT_NAME = Uint8Array.of(0x55, 0x1d, 0x11);
const SEQUENCE = 0x30;
const FAR_MS = Date.UTC(2045, 0, 1);
let serial = 1;

/** A certificate for `localhost` and 127.0.0.1, for one URI, or of an authority. */
export function issue({ name, issuer, isCa = false, uri, notAfterMs = FAR_MS }: Wanted): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer: KeyObject = issuer === undefined ? privateKey : createPrivateKey(issuer.privateKey);
  serial += 1;
  const tbs = der(
    SEQUENCE,
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, Uint8Array.of(serial)),
    ALGORITHM,
    distinguishedName(issuer?.name ?? name),
    der(SEQUENCE, utcTime(Date.UTC(2020, 0, 1)), utcTime(notAfterMs)),
    distinguishedName(name),
    createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, isCa ? CA : uri === undefined ? LOCALHOST : named(der(0x86, Buffer.from(uri))))),
  );
  const signature = sign('sha256', tbs, signer);
  const certificate = der(SEQUENCE, tbs, ALGORITHM, der(0x03, Uint8Array.of(0), signature));
  const lines = certificate.toString('base64').replace(/.{1,64}/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    name,
  };
}

const ALGORITHM = der(SEQUENCE, der(0x06, OID_ECDSA_SHA256));
const CA = der(
  SEQUENCE,
  der(0x06, OID_BASIC_CONSTRAINTS),
  der(0x01, Uint8Array.of(0xff)),
  der(0x04, der(SEQUENCE, der(0x01, Uint8Array.of(0xff)))),
);
const LOCALHOST = named(der(0x82, Buffer.from('localhost')), der(0x87, Uint8Array.of(127, 0, 0, 1)));

const distinguishedName = (name: string): Buffer =>
  der(SEQUENCE, der(0x31, der(SEQUENCE, der(0x06, OID_COMMON_NAME), der(0x0c, Buffer.from(name)))));

const utcTime = (ms: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

/** subjectAltName with these names (RFC 5280 §4.2.1.6). */
function named(...names: readonly Uint8Array[]): Buffer {
  return der(SEQUENCE, der(0x06, OID_SUBJECT_ALT_NAME), der(0x04, der(SEQUENCE, ...names)));
}

/** Tag, length, value (X.690 §8.1). */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(head), value]);
}
