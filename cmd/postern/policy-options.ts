import { InvalidArgumentError, Option } from 'commander';
import { variableOf } from '../../internal/config/option.ts';
import { LOG_LEVELS, OPTIONS } from '../../internal/config/options.ts';
import { fromPathBase } from '../../internal/config/paths.ts';

/** Flags that `serve` has too are read from its variables here as well; they and their variables have one meaning. */
const shared = (flags: string, name: string, doc: string): Option => new Option(flags, doc).env(variableOf(name));

export const policiesOption = (): Option =>
  shared('--policies <dir>', 'policies', 'where the files lie').argParser(typedPath).default('policies');

export const classOption = (doc = 'class of the policies'): Option => shared('--class <name>', 'class', doc);

export const hostGrantsOption = (): Option =>
  shared(
    '--host-grants <rule>',
    'host-grants',
    'who may claim a host, as the instance has it (default: required where the files hold a HostGrant, else first-come)',
  ).choices(OPTIONS['host-grants'].choices ?? []);

export const namespaceOption = (): Option =>
  shared('--namespace <name>', 'namespace', 'namespace of the Pod; with --workload-labels, and only with it');

export const workloadLabelsOption = (): Option =>
  shared(
    '--workload-labels <file>',
    'workload-labels',
    'decide as the sidecar of a Pod with these labels, lines as in app="orders"; needs --namespace, and --class of the sidecars',
  ).argParser(typedPath);

export const adminOption = (): Option =>
  shared('--admin-addr <address>', 'admin-addr', 'where the metrics are').default('127.0.0.1:9193');

export const debugOption = (): Option =>
  shared('--debug-addr <address>', 'debug-addr', 'where it says what is loaded').default('127.0.0.1:9194');

export const logLevelOption = (): Option =>
  shared('--log-level <level>', 'log-level', 'least level of log lines').choices(LOG_LEVELS).default('info');

/** A path that counts from where it was typed. */
export function typedPath(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.');
  return fromPathBase(text);
}
