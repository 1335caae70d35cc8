import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rulesHit, table } from '../threats.fixture.ts';

describe('SQL injection', () => {
  table(
    'sqlInjection',
    [
      ['tautology', '1 or 1=1'],
      ['tautology', "x' or '1'='1"],
      ['tautology', 'x" or "1"="1'],
      ['tautology', "x') or ('1'='1"],
      ['tautology', "x'or'a"],
      ['tautology', "admin' and email--"],
      ['tautology', "1' and sleep(9) #"],
      ['tautology', "it''s' or 1=1"],
      ['tautology', "\\' or 1=1"],
      ['tautology', 'or 1 = 1'],
      ['tautology', '1 && 1=1'],
      ['tautology', '1 || 2 in (2)'],
      ['union-select', '1 union select null, version()'],
      ['union-select', "x' UNION ALL SELECT NULL--"],
      ['union-select', '1/**/union/**/select/**/1,2'],
      ['union-select', '1 union (select password from users)'],
      ['union-select', "1'union%0aselect 1,2"],
      ['union-select', '1 uNiOn\tdistinct\tsElEcT 1,2'],
      ['stacked-query', '1; drop table users'],
      ['stacked-query', "'; exec xp_cmdshell 'dir'--"],
      ['stacked-query', "x'; insert into a values (1)"],
      ['statement', 'select * from users'],
      ['statement', 'delete from users where id = 1'],
      ['statement', "-1 waitfor delay '0:0:15' --"],
      ['subquery', "'||(select password from users)||'"],
      ['subquery', '1(select*from(select(sleep(5)))d)'],
      ['statement', "a'b,(select password from users)as'c"],
      ['telling-call', 'if(now()=sysdate(),sleep(12),0)'],
      ['comment-break', "admin'--"],
      ['comment-break', "admin' #"],
      ['comment-break', "admin')-- -"],
      ['quote-semicolon', "admin@example.org';"],
      ['calculation', "x'-email--"],
      ['calculation', "'+sleep(5)+'"],
      ['comparison', "x' like email--"],
      ['comparison', "' notnull --"],
      ['clause', '1 order by 5'],
      ['file', "x' into outfile '/tmp/a"],
      ['conditional', 'case when 1=1 then 1 else 0 end'],
      ['cast', 'password::int'],
      ['catalog', 'information_schema'],
      ['json-operator', '\'{"a":1}\'::jsonb @> \'{"a":1}\'::jsonb'],
      ['conditional-comment', '1 /*!50000or*/ 1=1'],
      ['scientific', '1.e(ascii)'],
      ['bare-call', 'load_file(0x2f6574632f706173737764)'],
      ['fragment', ') as x from'],
      ['comments', 'DROP/*a*/users'],
    ],
    [
      "O'Brien",
      "the boys' and girls' rooms",
      "rock 'n' roll",
      "is this your parents' house, or yours?",
      'select one of the options below',
      'Select items from the cart',
      'The European Union selects its members',
      'union and select committees',
      'MIT AND ISC',
      '2 or 3 days',
      '10 and 20',
      'order by phone before noon',
      'Please update the record and delete the copy.',
      'drop the table off at 5',
      'insert coin',
      'like it or not',
      'date (UTC)',
      'Count (all)',
      '#fff',
      '"#fff"',
      "'--flag'",
      'my--slugified-url',
      'a = b',
      '2026-11-27T12:00:00Z',
      "999, rue d'Arlon",
      '5 > 3 and 2 < 4 are both true in maths class',
      'std::string',
      'alice@example.org',
      'C# and F#',
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SflKxwRJSMe--KKF2QT4',
    ],
  );

  it('reads what stands behind # and -- also, for not every database takes them for comments', () => {
    assert.ok(rulesHit('sqlInjection', "x' # or 1=1 union select 1,2").includes('union-select'));
  });

  it('is not kept from the rest of a value by a comment that has no end', () => {
    assert.ok(rulesHit('sqlInjection', "x' /* or 1=1").includes('comment-break'));
    assert.ok(rulesHit('sqlInjection', '/* 1 union select 1,2').includes('union-select'));
  });

  it('reads a value by each of its quotes, whatever the others are', () => {
    assert.ok(rulesHit('sqlInjection', `it's 5" or "a"="a`).includes('tautology'));
    assert.ok(rulesHit('sqlInjection', `5" of a' or 'a'='a`).includes('tautology'));
  });
});
