import type { Server, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

/** Most Watch calls at a time: they last for ever, and each is told of every change. */
export const MAX_WATCHES = 1000;

type WatchCall = ServerWritableStream<unknown, unknown>;

/** `grpc.health.v1`, for the whole server (`''`) and for each service by its name: NOT_SERVING until told otherwise. */
export class HealthService {
  readonly #services: readonly string[];
  readonly #health: HealthImplementation;
  readonly #watches = new Set<WatchCall>();

  constructor(services: readonly string[]) {
    this.#services = ['', ...services];
    this.#health = new HealthImplementation(Object.fromEntries(this.#services.map((name) => [name, 'NOT_SERVING'])));
  }

  addTo(server: Pick<Server, 'addService'>): void {
    this.#health.addToServer({
      addService: (service, implementation) => {
        const { watch, ...others } = implementation as UntypedServiceImplementation;
        const bounded = (call: WatchCall): void => this.#watch(call, watch as (call: WatchCall) => void);
        server.addService(service, { ...others, watch: bounded });
      },
    });
  }

  setServing(isServing: boolean): void {
    for (const service of this.#services) this.#health.setStatus(service, isServing ? 'SERVING' : 'NOT_SERVING');
  }

  /** Ends every Watch, which would keep its connection open otherwise. */
  endWatches(): void {
    for (const call of this.#watches) call.end();
    this.#watches.clear();
  }

  #watch(call: WatchCall, watch: (call: WatchCall) => void): void {
    if (this.#watches.size >= MAX_WATCHES) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'Too many watches' });
      return;
    }
    this.#watches.add(call);
    call.on('cancelled', () => this.#watches.delete(call));
    watch(call);
  }
}
