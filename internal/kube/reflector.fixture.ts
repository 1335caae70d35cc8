import type { KubeObject } from './kube-object.ts';
import { ManualTimers } from './manual-timers.fixture.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector-options.ts';
import { type Asked, ScriptedApi, type Stream, settled, Told } from './scripted-api.fixture.ts';

export const PATH = '/apis/postern.dev/v1alpha1/namespaces/shop/apiroles';

/** An object as an API server sends it. */
export const anObject = (name: string, version: number, uid = `uid-${name}`): object => ({
  metadata: { name, namespace: 'shop', uid, resourceVersion: String(version), generation: 1 },
});

/** A list, or a page of one. */
export const aList = (version: number, items: readonly object[], next = ''): object => ({
  kind: 'List',
  metadata: { resourceVersion: String(version), ...(next !== '' && { continue: next }) },
  items,
});

/** A reflector on an API server that a test plays, with a clock that a test moves. */
export class ReflectorBench {
  readonly api: ScriptedApi;
  readonly timers = new ManualTimers();
  readonly told = new Told();
  readonly reflector: Reflector;
  random = 0;
  /** Thrown by the handler for an object of this name. */
  unbearable: string | undefined = undefined;

  private constructor(api: ScriptedApi, options: Partial<ReflectorOptions>) {
    this.api = api;
    this.reflector = new Reflector({
      config: api.config,
      resource: { group: 'postern.dev', version: 'v1alpha1', plural: 'apiroles' },
      kind: 'APIRole',
      namespace: 'shop',
      clock: this.timers,
      timers: this.timers,
      random: () => this.random,
      onApply: (object) => this.#apply(object),
      onDelete: ({ metadata }) => this.told.add(`delete ${metadata.name}@${metadata.resourceVersion}`),
      onUnusable: ({ metadata }, why) => this.told.add(`unusable ${metadata.name}: ${why}`),
      onSynced: () => this.told.add('synced'),
      onContact: () => this.told.add('contact'),
      onError: (why, status) => this.told.add(`error ${status} ${why}`),
      ...options,
    });
    this.reflector.start();
  }

  static async start(options: Partial<ReflectorOptions> = {}): Promise<ReflectorBench> {
    return new ReflectorBench(await ScriptedApi.start(), options);
  }

  async stop(): Promise<void> {
    this.reflector.stop();
    await this.api.stop();
  }

  /** Lists these and opens the watch that follows. Nothing is left told. */
  async synced(version: number, items: readonly object[]): Promise<{ watch: Asked; stream: Stream }> {
    (await this.api.next()).json(aList(version, items));
    const opened = await this.watching();
    await this.told.next(items.length + 3);
    return opened;
  }

  /** Opens the watch that is asked for now; that is told as contact. */
  async watching(): Promise<{ watch: Asked; stream: Stream }> {
    const watch = await this.api.next();
    if (watch.query.watch !== 'true') throw new Error(`No watch: ${JSON.stringify(watch.query)}`);
    return { watch, stream: watch.stream() };
  }

  /** What is told next is an error; gives it with the pause that follows. */
  async failed(): Promise<readonly [said: string | undefined, pauseMs: number | undefined]> {
    const [said] = await this.told.next();
    await settled();
    return [said, this.timers.left[0]];
  }

  #apply({ metadata }: KubeObject): void {
    if (metadata.name === this.unbearable) throw new Error('too heavy');
    this.told.add(`apply ${metadata.name}@${metadata.resourceVersion}`);
  }
}
