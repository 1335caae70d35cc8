import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
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
 * @throws {PosternError} ERR_POSTERN_TLS, naming the file
 */
export async function readCertificates({ certFile, keyFile, clientCaFile }: TlsFileNames): Promise<Certificates> {
  const certificate = await read(certFile);
  const privateKey = await read(keyFile);
  const clientCa = clientCaFile === undefined ? undefined : await read(clientCaFile);
  const notAfterMs = parse(certificate, certFile).validToDate.getTime();
  const clientCaNotAfterMs =
    clientCa === undefined || clientCaFile === undefined ? undefined : firstEndOf(clientCa, clientCaFile);
  try {
    createSecureContext({ cert: certificate, key: privateKey, ...(clientCa !== undefined && { ca: clientCa }) });
  } catch (error) {
    throw new PosternError(
      'ERR_POSTERN_TLS',
      `The certificate "${certFile}" and the key "${keyFile}" do not fit together: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return { certificate, privateKey, clientCa, notAfterMs, clientCaNotAfterMs };
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new PosternError('ERR_POSTERN_TLS', `Cannot read "${file}": ${messageOf(error)}`, { cause: error });
  }
}

function parse(pem: Buffer, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new PosternError('ERR_POSTERN_TLS', `"${file}" holds no certificate: ${messageOf(error)}`, { cause: error });
  }
}

/** A file of authorities may hold many. */
function firstEndOf(pem: Buffer, file: string): number {
  const text = pem.toString('latin1');
  const blocks = text.match(PEM_CERTIFICATE) ?? [text];
  return Math.min(...blocks.map((block) => parse(Buffer.from(block), file).validToDate.getTime()));
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export interface WatchOptions {
  readonly files: TlsFileNames;
  readonly everyMs: number;
  readonly onChange: (certificates: Certificates) => void;
  /** What is new cannot be used: the old one stays. */
  readonly onError: (error: unknown) => void;
}

/** Reads the files again every so often and hands on what is new and whole. */
export function watchCertificates(
  current: Certificates,
  { files, everyMs, onChange, onError }: WatchOptions,
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
      lastWhy = '';
      if (isStopped || isSame(found, known)) return;
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
