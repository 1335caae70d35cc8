// A process of its own, for the SDK reads its variables at the start: watches two checks and sends their spans.
import { headerFields } from '../../internal/core/attributes.ts';
import { systemClock } from '../../internal/core/clock.ts';
import { aChecked, anAttributes } from '../../internal/telemetry/checked.fixture.ts';
import { createLog } from '../../internal/telemetry/log.ts';
import { Metrics } from '../../internal/telemetry/metrics.ts';
import { Observer } from '../../internal/telemetry/observer.ts';
import { openOutput } from '../../internal/telemetry/output.ts';
import { startTracing } from '../../internal/telemetry/tracing.ts';

const output = openOutput(1);
const log = createLog({ level: 'warn', output, clock: systemClock });
const tracing = await startTracing({ variables: process.env, version: '1', log });
const metrics = new Metrics({ version: '1', process: false });
const observer = new Observer({ metrics, log, tracing, clock: systemClock, random: () => 0 });
const headers = headerFields([
  ['traceparent', process.argv[2] ?? ''],
  ['authorization', 'Bearer hunter2-hunter2'],
]);
const attributes = anAttributes({ headers, target: '/v1/orders/7?token=hunter2' });
for (const reason of ['allowed', 'denied_by_rule'] as const) {
  const observation = observer.begin(attributes.headers);
  observation.span.startPhase('authn');
  observation.span.endPhase();
  observer.finish(observation, attributes, aChecked(reason, attributes));
}
await tracing.shutdown(5000);
await output.close(5000);
