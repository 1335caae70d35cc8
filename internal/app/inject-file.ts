import { readFileSync } from 'node:fs';
import { OPTION_NAMES, optionOf } from '../config/options.ts';
import { shortPath } from '../config/paths.ts';
import { readConfig } from '../config/read-config.ts';
import { PosternError } from '../core/error.ts';
import { readResources, readVariables } from '../inject/container-parts.ts';
import { type Injected, injectManifests } from '../inject/inject-manifests.ts';
import { DRAIN_TIMEOUT, SIDECAR_DEFAULTS, sidecarOf } from '../inject/sidecar.ts';

export interface InjectInput {
  /** undefined: standard input. */
  readonly file: string | undefined;
  readonly image: string;
  readonly className: string;
  readonly adminPort: number;
  readonly imagePullPolicy: string;
  /** JSON, as a container has it; undefined: as the chart has it. */
  readonly resources?: string | undefined;
  /** JSON of further variables. */
  readonly env?: string | undefined;
  /** Options of `serve`, as in `client-address=direct`. */
  readonly options: readonly string[];
}

/**
 * Reads manifests and adds the sidecar that the chart would inject.
 *
 * @throws {PosternError} ERR_POSTERN_FILE when the file cannot be read; ERR_POSTERN_CONFIG when the sidecar would not start
 */
export function injectFile({ file, image, className, options, resources, env, ...given }: InjectInput): Injected {
  const args = options.map((option) => `--${option}`);
  checkImage(image);
  checkClass(className);
  checkOptions(className, options);
  const more = {
    resources: resources === undefined ? SIDECAR_DEFAULTS.resources : readResources(resources),
    env: env === undefined ? SIDECAR_DEFAULTS.env : readVariables(env),
  };
  const sidecar = sidecarOf({ ...given, ...more, image, className, args });
  return injectManifests(read(file), file === undefined ? 'standard input' : shortPath(file), sidecar);
}

function read(file: string | undefined): string {
  try {
    return readFileSync(file ?? 0, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PosternError('ERR_POSTERN_FILE', `"${file ?? 'standard input'}" cannot be read: ${why}`, {
      cause: error,
    });
  }
}

function checkImage(image: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/.test(image))
    throw new PosternError('ERR_POSTERN_CONFIG', `--image "${image}" is no image: write it as "registry/postern:TAG"`);
}

/** A sidecar of the gateways' class would serve none of its policies: those claim hosts. */
function checkClass(className: string): void {
  if (className === optionOf('class').fallback)
    throw new PosternError(
      'ERR_POSTERN_CONFIG',
      `--class "${className}" is the class of gateways: name that of the sidecars, "${SIDECAR_DEFAULTS.className}" say`,
    );
}

/** Only a switch may stand without a value. */
function checkValues(options: readonly string[]): void {
  const bare = OPTION_NAMES.find((name) => options.includes(name) && optionOf(name).placeholder !== undefined);
  if (bare !== undefined)
    throw new PosternError('ERR_POSTERN_CONFIG', `--option ${bare} has no value: write --option ${bare}=VALUE`);
}

/** What the injected agent would say of them when it starts is said here. */
function checkOptions(className: string, options: readonly string[]): void {
  const own = {
    kube: true,
    namespace: 'default',
    'workload-labels': 'labels',
    class: className,
    'drain-timeout': DRAIN_TIMEOUT,
  };
  const given = options.map((option): [string, string | boolean] => {
    const equals = option.indexOf('=');
    return equals === -1 ? [option, true] : [option.slice(0, equals), option.slice(equals + 1)];
  });
  const taken = given.find(([name]) => Object.hasOwn(own, name) || /-addr$|^debug-addr$/.test(name));
  if (taken !== undefined)
    throw new PosternError('ERR_POSTERN_CONFIG', `--option ${taken[0]}: the sidecar has this for its own`);
  checkValues(options);
  const result = readConfig({ flags: { ...Object.fromEntries(given), ...own }, env: {}, readFile: () => '' });
  if (!result.ok) throw new PosternError('ERR_POSTERN_CONFIG', result.problems.join('; '));
}
