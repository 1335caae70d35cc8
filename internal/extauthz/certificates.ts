import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';

export interface TlsFileNames {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string | undefined;
}

export interface Certificates {
  readonly certificate: Buffer;
  readonly privateKey: Buffer;
  readonly clientCa: Buffer | undefined;
  /** Epoch milliseconds at which the server's certificate ends. */
  readonly notAfterMs: number;
  /** The same of the client authorities: of several, the first that ends. */
  readonly clientCaNotAfterMs: number | undefined;
}

/**
 * Reads a certificate, its key and the client authorities, and tries them together.
 *
 * @throws {PosternError} ERR_POSTERN_TLS, naming the flag and the file
 */
export async function readCertificates({ certFile, keyFile, clientCaFile }: TlsFileNames): Promise<Certificates> {
  const certificate = await read('tls-cert', certFile);
  const privateKey = await read('tls-key', keyFile);
  const clientCa = clientCaFile === undefined ? undefined : await read('client-ca', clientCaFile);
  const leaf = parse('tls-cert', certFile, certificate);
  const clientCaNotAfterMs =
    clientCa === undefined || clientCaFile === undefined ? undefined : firstEndOf(clientCaFile, clientCa);
  const files = `--tls-cert "${certFile}" and --tls-key "${keyFile}"`;
  if (!leaf.checkPrivateKey(parseKey(keyFile, privateKey))) throw unusable(`${files} do not fit together`);
  try {
    createSecureContext({ cert: certificate, key: privateKey, ...(clientCa !== undefined && { ca: clientCa }) });
  } catch (error) {
    throw unusable(`${files} cannot be used: ${reasonOf(error)}`, error);
  }
  return { certificate, privateKey, clientCa, notAfterMs: leaf.validToDate.getTime(), clientCaNotAfterMs };
}

async function read(flag: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw unusable(`--${flag}: "${file}" cannot be read: ${reasonOf(error)}`, error);
  }
}

function parse(flag: string, file: string, pem: Buffer): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw unusable(`--${flag}: "${file}" holds no certificate in PEM`, error);
  }
}

function parseKey(file: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const isEncrypted = pem.includes('ENCRYPTED');
    const what = isEncrypted ? 'an encrypted key: write one without a passphrase' : 'no private key in PEM';
    throw unusable(`--tls-key: "${file}" holds ${what}`, error);
  }
}

const unusable = (message: string, cause?: unknown): PosternError =>
  new PosternError('ERR_POSTERN_TLS', message, { cause });

/** Words for what the system or OpenSSL says with a code. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'this user may not',
};

/** In words: OpenSSL's own `reason` is its text without numbers and names of functions. */
function reasonOf(error: unknown): string {
  const { code = '', reason } = error as { readonly code?: string; readonly reason?: string };
  return WORDS[code] ?? reason ?? messageOf(error);
}
/** A file of authorities may hold many. */
function firstEndOf(file: string, pem: Buffer): number {
  const text = pem.toString('latin1');
  const blocks = text.match(PEM_CERTIFICATE) ?? [text];
  return Math.min(...blocks.map((block) => parse('client-ca', file, Buffer.from(block)).validToDate.getTime()));
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export interface WatchOptions {
  readonly files: TlsFileNames;
  readonly everyMs: number;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Told of what is new, and of what was there before when it can be used again. */
  readonly onChange: (certificates: Certificates) => void;
  /** What is new cannot be used: the old one stays. */
  readonly onError: (error: unknown) => void;
}

/** Reads the files again every so often and hands on what is new, whole and not over. */
export function watchCertificates(
  current: Certificates,
  { files, everyMs, clock, onChange, onError }: WatchOptions,
): { stop(): void } {
  let known = current;
  let lastWhy = '';
  let isLooking = false;
  let isStopped = false;
  const look = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      const found = await readCertificates(files);
      if (!found.certificate.equals(known.certificate) && found.notAfterMs <= clock.wallMs())
        throw unusable(`--tls-cert: the certificate in "${files.certFile}" ended at ${isoOf(found.notAfterMs)}`);
      const isRecovery = lastWhy !== '';
      lastWhy = '';
      if (isStopped || (isSame(found, known) && !isRecovery)) return;
      known = found;
      onChange(found);
    } catch (error) {
      const why = messageOf(error);
      if (why !== lastWhy) onError(error);
      lastWhy = why;
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return {
    stop() {
      isStopped = true;
      clearInterval(timer);
    },
  };
}

const isSame = (a: Certificates, b: Certificates): boolean =>
  a.certificate.equals(b.certificate) &&
  a.privateKey.equals(b.privateKey) &&
  (a.clientCa ?? EMPTY).equals(b.clientCa ?? EMPTY);

const EMPTY = Buffer.alloc(0);

const isoOf = (ms: number): string => new Date(ms).toISOString();
