import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nearest } from '../core/nearest.ts';
import { variableOf } from './option.ts';
import { OPTION_NAMES, optionOf } from './options.ts';
import { isServiceLink } from './sources.ts';

describe('OPTIONS', () => {
  for (const name of OPTION_NAMES) {
    it(`--${name} has a name that no Service's variable can have`, () => {
      assert.equal(isServiceLink(variableOf(name)), false);
      assert.match(name, /^[a-z]+(-[a-z]+)*$/);
    });

    it(`--${name} is described, in words without a final full stop`, () => {
      assert.match(optionOf(name).doc, /^[A-Z].*[^.]$/);
    });

    it(`--${name} reads its own default and each of its choices`, () => {
      const { fallback, choices = [], parse } = optionOf(name);
      const texts = fallback === undefined ? choices : [...choices, fallback];
      assert.deepEqual(
        texts.filter((text) => !parse(text).ok),
        [],
      );
    });

    it(`--${name} says what is wrong with a control character`, () => {
      const result = optionOf(name).parse('\u0007');
      assert.equal(result.ok, false);
    });
  }
});

describe('isServiceLink()', () => {
  for (const variable of [
    'POSTERN_SERVICE_HOST',
    'POSTERN_SERVICE_PORT',
    'POSTERN_SERVICE_PORT_GRPC',
    'POSTERN_PORT',
    'POSTERN_PORT_9191_TCP',
    'POSTERN_PORT_9191_TCP_ADDR',
    'POSTERN_PORT_9191_TCP_PORT',
    'POSTERN_PORT_9191_TCP_PROTO',
    'POSTERN_PORT_53_UDP_ADDR',
    'POSTERN_X_SERVICE_HOST',
    'POSTERN_X_PORT',
    'POSTERN_X_PORT_9193_TCP_ADDR',
    'POSTERN_GRPC_ADDR_SERVICE_HOST',
  ]) {
    it(`knows ${variable}`, () => assert.equal(isServiceLink(variable), true));
  }

  for (const variable of ['POSTERN_GRPC_ADDR', 'POSTERN_PORTS', 'POSTERN_X_PORT_9193', 'POSTERN_SERVICE', 'X_PORT']) {
    it(`does not take ${variable} for one`, () => assert.equal(isServiceLink(variable), false));
  }
});

describe('nearest()', () => {
  for (const [word, expected] of [
    ['grpc-adr', 'grpc-addr'],
    ['polices', 'policies'],
    ['poliices', 'policies'],
    ['admin-address', 'admin-addr'],
    ['loglevel', 'log-level'],
    ['ckass', 'class'],
    ['lcass', 'class'],
  ] as const) {
    it(`finds ${expected} for ${word}`, () => assert.equal(nearest(word, OPTION_NAMES), expected));
  }
});
