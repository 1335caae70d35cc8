import { Command, InvalidArgumentError, Option } from 'commander';
import { injectFile } from '../../internal/app/inject-file.ts';
import { VERSION } from '../../internal/app/version.ts';
import { SIDECAR_DEFAULTS } from '../../internal/inject/sidecar.ts';
import { describe, fail } from './fail.ts';
import { classOption, typedPath } from './policy-options.ts';

const WHAT = `
It adds what the chart's admission policy adds to Pods, where the API server serves none: to Pods, Deployments,
ReplicaSets, StatefulSets, DaemonSets, Jobs and CronJobs, also in a List. What has the sidecar stays as it is, and so
does what is labelled postern.dev/inject: "false". Rights in the namespace come from the chart (sidecar.namespaces).
`;

interface Given {
  readonly filename: string;
  readonly image: string;
  readonly class: string;
  readonly adminPort: number;
  readonly imagePullPolicy: string;
  readonly resources?: string;
  readonly env?: string;
  readonly option: readonly string[];
}

/** `postern inject -f FILE`: the manifests with the sidecar in them. */
export function injectCommand(): Command {
  return new Command('inject')
    .description('Add the sidecar to manifests.')
    .requiredOption('-f, --filename <file>', 'YAML or JSON of manifests; "-" is standard input')
    .option('--image <image>', 'image of the sidecar', `postern:${VERSION}`)
    .addOption(classOption('class of the policies').default(SIDECAR_DEFAULTS.className))
    .option('--admin-port <port>', "port of metrics and probes in the Pod's network", port, SIDECAR_DEFAULTS.adminPort)
    .addOption(
      new Option('--option <name=value>', 'an option of serve, as in client-address=direct; may be repeated')
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], 'none'),
    )
    .addOption(
      new Option('--image-pull-policy <policy>', 'when nodes pull the image')
        .choices(['Always', 'IfNotPresent', 'Never'])
        .default(SIDECAR_DEFAULTS.imagePullPolicy),
    )
    .option(
      '--resources <json>',
      `requests and limits of the sidecar (default: ${JSON.stringify(SIDECAR_DEFAULTS.resources)})`,
    )
    .option(
      '--env <json>',
      'further variables, as a container has them: [{"name": "OTEL_SERVICE_NAME", "value": "shop"}]',
    )
    .addHelpText('after', `${WHAT}\nExit codes: 0, or 2 for a mistake in flags or files; then nothing is written.`)
    .action(({ filename, class: className, option, ...given }: Given) => {
      try {
        const file = filename === '-' ? undefined : typedPath(filename);
        const { text, found, changed, problems } = injectFile({ ...given, className, file, options: option });
        if (problems.length > 0) fail(2, problems);
        process.stdout.write(text);
        if (found === 0)
          process.stderr.write('warning: no Pods there, and nothing that makes them: nothing is injected\n');
        process.stderr.write(`${found} found, ${changed} injected\n`);
      } catch (error) {
        fail(2, [describe(error)]);
      }
    });
}

function port(text: string): number {
  const value = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (value < 1024 || value > 65_535) throw new InvalidArgumentError('It is no port from 1024 to 65535.');
  return value;
}
