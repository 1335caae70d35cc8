/**
 * Honest values that look like attacks to who does not look well, written for this: names with apostrophes, sentences
 * with words of SQL, SQL and HTML that is spoken of, code, Markdown. Combined from parts, so that there are many.
 */
export function hardValues(): readonly string[] {
  return [...names(), ...sentences(), ...notes(), ...CODE, ...TECHNICAL];
}

const SURNAMES =
  "O'Brien O'Neill D'Angelo D'Arcy L'Estrange M'Gregor O'Shea O'Hara D'Souza N'Dour Dell'Orto Sant'Anna Ta'eed Qur'an Ka'anapali".split(
    ' ',
  );
const GIVEN = ['Ann', 'Seán', "Ra'ed", 'Jean-Luc', 'Zoë', 'Nguyễn', "De'Andre", 'Ma. Luisa'];
const STREETS = [
  "12, rue de l'Église",
  "999, rue d'Arlon",
  "St. John's Wood Rd.",
  "Piazza dell'Unità 4",
  "King's Cross",
  "Land's End; Gate 5",
  "'s-Gravenhage",
  "Cote d'Ivoire (Abidjan)",
];

function names(): readonly string[] {
  const people = GIVEN.flatMap((given) => SURNAMES.map((surname) => `${given} ${surname}`));
  const companies = SURNAMES.flatMap((surname) => [
    `${surname} & Sons`,
    `${surname}, Inc.; est. 1998`,
    `"${surname}" Ltd.`,
    `${surname}'s (UK) Ltd`,
  ]);
  return [
    ...people,
    ...companies,
    ...STREETS,
    ...SURNAMES.map((surname) => `${surname.toLowerCase().replace("'", '')}+news@example.org`),
  ];
}

const SUBJECTS = [
  'The board',
  "The customer's manager",
  'Our union',
  'The select committee',
  'A group of users',
  'Drop-in guests',
  'The "A" team',
  "Children's services",
  'Whoever',
  "The union's clause",
  'Its default value',
  'A view of the city',
  'The (other) index',
];
const PREDICATES = [
  'will select one or two members from the list',
  "didn't order by phone and had no table",
  'must update the record, set a date and delete the copy',
  "or the parents' and teachers' council may insert a clause",
  'asked: "select or reject?" and left',
  'has 2 or 3 = five options (at most)',
  'is null and void where prohibited',
  "can't join the union, except as guests",
  'values all people between 18 and 65 like family',
  'should execute the plan; then drop the subject',
  'sleeps in; others create a view from the top',
  "executed O'Neill's will & wrote 'done' -- finally",
  'wants everything from A to Z, having paid 100% up front',
  'limits offers to 10 per table; where 20 dine, group by age',
];

const sentences = (): readonly string[] =>
  SUBJECTS.flatMap((subject) =>
    PREDICATES.flatMap((predicate) => [`${subject} ${predicate}.`, `${subject.toLowerCase()} ${predicate}`]),
  );

const MARKS = [
  '**bold**',
  '`code`',
  "it's",
  '<3',
  '-->',
  '~~gone~~',
  '> quoted',
  '[a link](https://example.org/a?b=1&c=2)',
  '| a | b |',
  '# Title',
  '---',
  '***',
  "'quoted'",
  '“curly”',
  'C:\\Users\\ann',
  '50% off',
  'a/b; c/d',
  '{name}',
  '{{name}}',
  '$5 & up',
];
const TEXTS = [
  'Please see {} before Friday',
  '{} or not?',
  "I'd say {}; you wouldn't",
  'Note: {} (see below)',
  '- {}',
  '1. {} and more',
  'Rated {} = 5/5!',
  'Was {} < now > later',
  '{}',
  'Re: Re: {} -- urgent',
  'x = {}; y = 2',
  '"{}" she said',
];

const notes = (): readonly string[] => TEXTS.flatMap((text) => MARKS.map((mark) => text.replace('{}', () => mark)));

/** Lines of programs, as issues, snippets and comments hold them. */
const CODE: readonly string[] = [
  'const a = b || c && d;',
  "const name = user.name ?? 'nobody';",
  'if (a == 1 or b == 2) { return; }',
  'for (let i = 0; i < n; i += 1) sum += values[i];',
  'export function order<T extends Object>(items: List<T>): Promise<Form> {}',
  "import { join } from 'node:path';",
  'const x = items.filter((item) => item.count > 0 && item.name !== "");',
  'x = y if z else None  # or 0',
  "print('hello, ' + name)",
  'fmt.Printf("%s\\n", err)',
  'return a ? b : c;',
  'def select(self, *args, **kwargs): pass',
  'public static void main(String[] args) {',
  'git commit -m "fix: don\'t drop the table of contents"',
  'npm install --save-exact a@1.2.3',
  'docker run --rm -it -v /data:/data image:1',
  'kubectl get pods -n shop -o json',
  'cd src && make test',
  'echo done',
  'curl -s https://example.org/health',
  '#include <stdio.h>',
  'std::vector<int> v{1, 2, 3};',
  'let v: Vec<String> = vec![];',
  'match x { Some(n) if n > 0 => n, _ => 0 }',
  '@media (min-width: 600px) { body { margin: 0 } }',
  '.card > a:hover { color: #fff; }',
  '^[a-z0-9]+(?:-[a-z0-9]+)*$',
  'SELECT id, name FROM orders WHERE id = $1',
  'CREATE TABLE notes (id int primary key)',
  'window.addEventListener("load", start);',
  '<Button kind="primary" onClick={save}>Save</Button>',
  '<div class="card"><p>text</p></div>',
  'apiVersion: v1\nkind: ConfigMap\ndata: {a: "1"}',
  '{"name": "a", "tags": ["b", "c"], "n": 1e3}',
  'a[0] = b["key"] + c.d[\'e\'];',
  'x => x * 2',
  '() => {}',
  'T extends (infer U)[] ? U : never',
  '/* eslint-disable no-alert */',
  '// TODO: select a better name',
  "it('is null or undefined', () => {});",
  'WHERE clauses come after FROM',
  'f(x) = 2x + 1; g(x) = f(x)(x - 1)',
  '1 + 1 = 2',
  '3 > 2 > 1',
  'a != b',
  'x <= 10 and y >= 20',
  '(a AND b) OR (c AND NOT d)',
  'status:open AND assignee:me OR label:"good first issue"',
  'title ~ "order" AND created >= -7d ORDER BY created DESC',
];

const STATEMENTS = [
  'SELECT',
  'UNION',
  'DROP TABLE',
  'INSERT INTO',
  'WHERE',
  'ORDER BY',
  'sleep()',
  'information_schema',
  "' OR 1=1",
  '<script>',
  'UNION SELECT',
  'javascript:',
  '../',
  '__proto__',
  '$where',
];
const SPOKEN_OF = [
  'Never build a {} by hand; use parameters.',
  'The {} statement is slow on large tables',
  'What does {} do in this query?',
  'Our scanner blocked the word {} in a comment',
  'Escape the value before {} and after',
  'See the chapter about "{}" for details',
  "Don't log {} verbatim",
  'Fixed: {} in titles was refused',
  'How {} works, explained',
  'A {} clause, as in the docs, is optional',
];

const TECHNICAL: readonly string[] = SPOKEN_OF.flatMap((text) =>
  STATEMENTS.map((word) => text.replace('{}', () => word)),
);
