import { experimental, ServerCredentials } from '@grpc/grpc-js';
import { type Certificates, readCertificates, type TlsFileNames, watchCertificates } from './certificates.ts';

type Provider = Parameters<typeof experimental.createCertificateProviderServerCredentials>[0];
type CaListener = Parameters<Provider['addCaCertificateListener']>[0];
type IdentityListener = Parameters<Provider['addIdentityCertificateListener']>[0];

export interface TlsOptions {
  readonly files: TlsFileNames;
  readonly reloadEveryMs: number;
  /** Told of the first certificate and of every new one, with the moment it ends. */
  readonly onCertificate: (notAfterMs: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Hands certificates to grpc-js as they change; connections that exist keep theirs. */
class ReloadingProvider implements Provider {
  readonly #ca = new Set<CaListener>();
  readonly #identity = new Set<IdentityListener>();
  #current: Certificates;

  constructor(first: Certificates) {
    this.#current = first;
  }

  update(certificates: Certificates): void {
    this.#current = certificates;
    for (const listener of this.#ca) this.#tellCa(listener);
    for (const listener of this.#identity) this.#tellIdentity(listener);
  }

  #tellCa(listener: CaListener): void {
    const { clientCa, certificate } = this.#current;
    listener({ caCertificate: clientCa ?? certificate });
  }

  #tellIdentity(listener: IdentityListener): void {
    const { certificate, privateKey } = this.#current;
    listener({ certificate, privateKey });
  }

  // Asynchronous, as grpc-js's own providers are: a server that is being made is not told before it is.
  addCaCertificateListener(listener: CaListener): void {
    this.#ca.add(listener);
    queueMicrotask(() => this.#tellCa(listener));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#ca.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identity.add(listener);
    queueMicrotask(() => this.#tellIdentity(listener));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identity.delete(listener);
  }
}

export interface ServerTls {
  readonly credentials: ServerCredentials;
  stop(): void;
}

/**
 * Credentials of the gRPC server: plain without files, TLS with a certificate, mTLS with client authorities too, read
 * again from disk so that they can be rotated. A certificate that cannot be used leaves the old one in place.
 */
export async function serverTls(options: TlsOptions | undefined): Promise<ServerTls> {
  if (options === undefined) return { credentials: ServerCredentials.createInsecure(), stop: () => undefined };
  const { files, reloadEveryMs, onCertificate, onError } = options;
  const first = await readCertificates(files);
  onCertificate(first.notAfterMs);
  const provider = new ReloadingProvider(first);
  const watch = watchCertificates(first, {
    files,
    everyMs: reloadEveryMs,
    onError,
    onChange(certificates) {
      provider.update(certificates);
      onCertificate(certificates.notAfterMs);
    },
  });
  const requiresClient = files.clientCaFile !== undefined;
  const credentials = experimental.createCertificateProviderServerCredentials(provider, provider, requiresClient);
  return { credentials, stop: () => watch.stop() };
}
