import { policy, type WrongShape } from './wrong-shape.ts';

const validation = (more: object): object => ({ target: { hosts: ['a.example.org'] }, validation: more });
const limits = (more: object): object => validation({ limits: more });
const field = (more: object): object => validation({ fields: [{ name: 'a', ...more }] });

const LIMITS = 'spec.validation.limits';
const FIELD = 'spec.validation.fields[0]';
const query = { name: 'q' };

export const WRONG_VALIDATION: readonly WrongShape[] = [
  policy('no limit', limits({}), `${LIMITS}: Invalid value: at least one of url, headers`),
  policy('a size of nothing', limits({ body: '0' }), `${LIMITS}.body: Invalid value: "0": must be a size in bytes`),
  policy('a size of no unit', limits({ body: '64KB' }), `${LIMITS}.body: Invalid value: "64KB": must be a size`),
  policy('a large size', limits({ url: '65Ki' }), `${LIMITS}.url: Invalid value: "65Ki": must be at most 64Ki`),
  policy('a deep depth', limits({ jsonDepth: 65 }), `${LIMITS}.jsonDepth in body should be less than or equal to 64`),
  policy(
    'a media type with a parameter',
    validation({ contentTypes: ['application/json; charset=utf-8'] }),
    'spec.validation.contentTypes[0]: Invalid value',
  ),
  policy(
    'a field of no place',
    field({}),
    `${FIELD}: Invalid value: exactly one of path, query, header, cookie or body`,
  ),
  policy(
    'a field of two places',
    field({ query, header: { name: 'x' } }),
    `${FIELD}: Invalid value: exactly one of path, query, header, cookie or body`,
  ),
  policy(
    'a pattern of a number',
    field({ query, type: 'Integer', pattern: 'a' }),
    `${FIELD}: Invalid value: format, minLength, maxLength, pattern and enum go with type String`,
  ),
  policy(
    'a range of a text',
    field({ query, minimum: 1 }),
    `${FIELD}: Invalid value: minimum and maximum go with type`,
  ),
  policy(
    'a list in a query',
    field({ query, type: 'Array' }),
    `${FIELD}: Invalid value: type Object and Array go with`,
  ),
  policy(
    'a range from above',
    field({ query, type: 'Integer', minimum: 2, maximum: 1 }),
    `${FIELD}: Invalid value: the smallest must not be above the largest`,
  ),
  policy(
    'a pointer to everything',
    field({ body: { pointer: '' } }),
    `${FIELD}.body.pointer: Invalid value: "": must be a JSON pointer`,
  ),
];
