import { PosternError } from '../core/error.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * Requests and limits of a container, written as JSON. Names and quantities are the API server's to judge.
 *
 * @throws {PosternError} ERR_POSTERN_CONFIG when they are not of that shape
 */
export function readResources(text: string): Members {
  const value = parseJson(text);
  const isRight =
    isObject(value) &&
    Object.entries(value).every(
      ([name, amounts]) =>
        (name === 'requests' || name === 'limits') && isObject(amounts) && Object.values(amounts).every(isQuantity),
    );
  if (isRight) return value;
  throw wrong('--resources', text, `{"requests": {"cpu": "50m"}, "limits": {"memory": "512Mi"}}`);
}

/** As the chart's values have them: no other variable is for the agent, and one of those that it has would stand for that. */
const VARIABLE = /^(OTEL|NODE)_[A-Z0-9_]+$/;

/**
 * Variables of a container, written as JSON.
 *
 * @throws {PosternError} ERR_POSTERN_CONFIG when they are not of that shape, or not for the agent
 */
export function readVariables(text: string): readonly Members[] {
  const value = parseJson(text);
  if (!Array.isArray(value) || !value.every(isVariable))
    throw wrong('--env', text, `[{"name": "OTEL_SERVICE_NAME", "value": "shop"}]`);
  const foreign = value.find(({ name }) => !VARIABLE.test(name))?.name;
  if (foreign !== undefined)
    throw new PosternError(
      'ERR_POSTERN_CONFIG',
      `--env ${JSON.stringify(foreign)}: variables of the sidecar begin with OTEL_ or NODE_; what serve has as an option is given by --option`,
    );
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isQuantity = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && value !== '');

/** A value that is no text, a port say, is refused only when it is applied: by then nobody knows whence it came. */
function isVariable(value: unknown): value is Members & { readonly name: string } {
  if (!isObject(value) || typeof value.name !== 'string' || value.name === '') return false;
  const others = Object.keys(value).filter((name) => name !== 'name');
  return others.every((name) =>
    name === 'value' ? typeof value.value === 'string' : name === 'valueFrom' && isObject(value.valueFrom),
  );
}

/** What was given is not shown: a variable may hold what nobody should read. */
const wrong = (flag: string, text: string, instead: string): PosternError =>
  new PosternError(
    'ERR_POSTERN_CONFIG',
    `${flag} ${text === '' ? 'is empty' : 'has another shape'}: write it as '${instead}'`,
  );
