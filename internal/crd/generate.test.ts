import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KINDS } from '../policy/resource/kinds.ts';
import { definition, generateCrds, schemaDigest } from './generate.ts';
import { type Json, structuralSchema } from './structural-schema.ts';

const DEPLOYED = join(import.meta.dirname, '../../deploy/crds');

/** Words that a structural schema does not know, or that the API server refuses. */
const FOREIGN = ['anyOf', 'oneOf', 'allOf', 'not', 'const', 'prefixItems', '$ref', 'x-pattern-message'];

function* nodesOf(schema: Json, path: string): Generator<readonly [path: string, node: Json]> {
  yield [path, schema];
  for (const [key, child] of Object.entries((schema.properties ?? {}) as Record<string, Json>)) {
    yield* nodesOf(child, `${path}.${key}`);
  }
  if (schema.items !== undefined) yield* nodesOf(schema.items as Json, `${path}[]`);
  if (typeof schema.additionalProperties === 'object') yield* nodesOf(schema.additionalProperties as Json, `${path}{}`);
}

function schemaOf(kind: keyof typeof KINDS): Json {
  const { spec } = definition(KINDS[kind]) as unknown as {
    spec: { versions: [{ schema: { openAPIV3Schema: Json } }] };
  };
  return spec.versions[0].schema.openAPIV3Schema;
}

const nodes = Object.keys(KINDS).flatMap((kind) => [...nodesOf(schemaOf(kind as keyof typeof KINDS), kind)]);
const below = (word: string) => nodes.filter(([path]) => path.includes(`.${word}`));

/** Whether the size of what stands here is bounded. */
function isBounded(node: Json): boolean {
  if (node.type === 'string') return node.maxLength !== undefined || node.enum !== undefined;
  if (node.type === 'array') return node.maxItems !== undefined;
  if (node.additionalProperties !== undefined) return node.maxProperties !== undefined;
  return true;
}

describe('generateCrds()', () => {
  it('makes the files that are deployed', () => {
    const files = generateCrds();
    assert.deepEqual(readdirSync(DEPLOYED).sort(), [...files.keys()].sort());
    for (const [name, text] of files) assert.equal(readFileSync(join(DEPLOYED, name), 'utf8') === text, true, name);
  });

  it('bounds every list, map and string', () => {
    assert.deepEqual(
      nodes.filter(([, node]) => !isBounded(node)).map(([path]) => path),
      [],
    );
  });

  it('describes every field', () => {
    const silent = [...below('spec'), ...below('status')]
      .filter(([path, node]) => node.description === undefined && !/[\]}]$/.test(path))
      .map(([path]) => path);
    assert.deepEqual(silent, []);
  });

  it('keeps unknown fields in every object below spec, for the admission policy to see', () => {
    const pruning = below('spec').filter(
      ([, node]) => node.properties !== undefined && node['x-kubernetes-preserve-unknown-fields'] !== true,
    );
    assert.deepEqual(
      pruning.map(([path]) => path),
      [],
    );
  });

  it('gives every list its type, and named items their name as key', () => {
    for (const [path, node] of below('spec')) {
      const items = (node.items ?? {}) as Json;
      const properties = (items.properties ?? {}) as Json;
      const isReference = Object.keys(properties).length === 1 || path.endsWith('.routes');
      if (properties.name === undefined || isReference) continue;
      assert.deepEqual([node['x-kubernetes-list-type'], node['x-kubernetes-list-map-keys']], ['map', ['name']], path);
      assert.equal((items.required as string[]).includes('name'), true, path);
    }
  });

  it('uses no word that a structural schema lacks, no lookahead, no bound of doubles', () => {
    for (const [path, node] of nodes) {
      for (const word of FOREIGN) assert.equal(Object.hasOwn(node, word), false, `${path}: ${word}`);
      assert.equal(typeof node.exclusiveMinimum, 'undefined', path);
      assert.equal(Array.isArray(node.type), false, path);
      assert.doesNotMatch(
        JSON.stringify(node.pattern ?? '') + JSON.stringify(node['x-kubernetes-validations'] ?? ''),
        /\(\?[=!<]/,
      );
      assert.notEqual(node.maximum, Number.MAX_SAFE_INTEGER, path);
    }
  });

  it('says of every rule in words what is wanted', () => {
    for (const [path, node] of nodes) {
      for (const { message } of (node['x-kubernetes-validations'] ?? []) as unknown as { message?: string }[]) {
        assert.match(message ?? '', /^[^\n]{8,}$/, path);
      }
      // A bare pattern is left only where CEL sees a timestamp.
      if (node.pattern !== undefined) assert.equal(node.format, 'date-time', path);
    }
  });

  it('changes the digest with anything that is checked', () => {
    const kind = KINDS.APIRoleBinding;
    assert.notEqual(schemaDigest(kind), schemaDigest({ ...kind, immutable: [] }));
    assert.notEqual(schemaDigest(kind), schemaDigest({ ...kind, spec: KINDS.APIRole.spec }));
    assert.equal(schemaDigest(kind), schemaDigest({ ...kind }));
  });

  it('keeps the default of every field that has one', () => {
    const defaults = [...nodesOf(structuralSchema(KINDS.APIPolicy.spec), 'spec')]
      .filter(([, node]) => node.default !== undefined)
      .map(([path, node]) => `${path} ${JSON.stringify(node.default)}`);
    assert.equal(defaults.includes('spec.className "postern"'), true);
    assert.equal(defaults.includes('spec.target.paths ["/**"]'), true);
  });
});
