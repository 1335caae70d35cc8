import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { InstalledSchemas } from './installed-schemas.ts';
import { ManualTimers } from './manual-timers.fixture.ts';
import { aStatus, ScriptedApi, settled, Told } from './scripted-api.fixture.ts';

const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const RELIST_MS = 30 * 60_000;

interface Answer {
  readonly metadata: { readonly annotations?: object };
}

const definition = (digest: string | undefined): Answer => ({
  metadata: { ...(digest !== undefined && { annotations: { 'postern.dev/schema-digest': digest } }) },
});

/** As the API server gives it: with its name. */
const named = (asked: { readonly path: string }, { metadata }: Answer): object => ({
  metadata: { ...metadata, name: asked.path.slice(asked.path.lastIndexOf('/') + 1) },
});

let api: ScriptedApi;
let timers: ManualTimers;
let told: Told;
let schemas: InstalledSchemas;
async function setUp(): Promise<void> {
  api = await ScriptedApi.start();
  timers = new ManualTimers();
  told = new Told();
  schemas = new InstalledSchemas({
    config: api.config,
    timers,
    expected: new Map([
      ['apiroles.postern.dev', 'one'],
      ['apipolicies.postern.dev', 'two'],
    ]),
    annotation: 'postern.dev/schema-digest',
    onChange: (outdated) => told.add(`outdated: ${[...outdated].join(' ')}`),
    onForbidden: (why) => told.add(`forbidden: ${why}`),
  });
  schemas.start();
}

async function tearDown(): Promise<void> {
  schemas.stop();
  await api.stop();
}

/** Answers one look, a definition after the other; undefined is one that is not installed. */
async function look(...digests: readonly (Answer | undefined)[]): Promise<void> {
  for (const found of digests) {
    const asked = await api.next();
    if (found === undefined) asked.json(aStatus(404), 404);
    else asked.json(named(asked, found));
  }
  while (timers.left.length !== 1 || timers.left[0] === 15_000) await settled(1);
}

describe('InstalledSchemas', () => {
  beforeEach(setUp);
  afterEach(tearDown);

  it('asks for the metadata of each definition by its name, and says nothing where they are its own', async () => {
    const asked = await api.next();
    assert.deepEqual([asked.method, asked.path], ['GET', `${PATH}/apiroles.postern.dev`]);
    assert.match(String(asked.headers.accept), /as=PartialObjectMetadata/);
    asked.json(named(asked, definition('one')));
    await look(definition('two'));
    assert.deepEqual([told.rest, timers.left], [[], [RELIST_MS]]);
  });

  it('names definitions that carry another digest, or none, once, and that they are mended', async () => {
    await look(definition('another'), definition(undefined));
    assert.deepEqual(told.rest, ['outdated: apiroles.postern.dev apipolicies.postern.dev']);
    timers.advance(RELIST_MS);
    await look(definition('another'), definition(undefined));
    timers.advance(RELIST_MS);
    await look(definition('one'), definition('two'));
    assert.deepEqual(await told.next(2), ['outdated: apiroles.postern.dev apipolicies.postern.dev', 'outdated: ']);
    assert.deepEqual(told.rest, []);
  });

  it('does not call one outdated that is not installed', async () => {
    await look(undefined, definition('another'));
    assert.deepEqual(told.rest, ['outdated: apipolicies.postern.dev']);
  });

  it('says once that it may not read them, and looks again as often as before', async () => {
    for (const _ of 'ab') {
      (await api.next()).json(aStatus(403, 'forbidden by RBAC'), 403);
      await look();
      assert.deepEqual(timers.left, [RELIST_MS]);
      timers.advance(RELIST_MS);
    }
    assert.deepEqual(told.rest, ['forbidden: forbidden by RBAC']);
  });

  it('stays with what it knows while the API server is away, and looks again after a minute', async () => {
    await look(definition('one'), definition('another'));
    timers.advance(RELIST_MS);
    const asked = await api.next();
    asked.json(named(asked, definition('one')));
    (await api.next()).json(aStatus(503), 503);
    await look();
    assert.deepEqual([told.rest, timers.left], [['outdated: apipolicies.postern.dev'], [60_000]]);
  });

  for (const junk of [{}, null, [], { metadata: { name: 'apipolicies.postern.dev' } }]) {
    it(`takes ${JSON.stringify(junk)} for no definition, and looks again after a minute`, async () => {
      (await api.next()).json(junk);
      await look();
      assert.deepEqual([told.rest, timers.left], [[], [60_000]]);
    });
  }

  it('asks no more once it is stopped', async () => {
    const asked = await api.next();
    schemas.stop();
    await asked.gone;
    await settled();
    assert.deepEqual([api.waiting, told.rest], [[], []]);
  });
});
