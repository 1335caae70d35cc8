/** Text forms of a scrape: Prometheus 0.0.4, or OpenMetrics 1.0 for who asks for it (exemplars are only in that one). */
export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES = Object.freeze({
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
});

export interface Sample {
  /** The family's name with its suffix (`_total`, `_bucket`, …). */
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export interface Family {
  /** As registered: a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: string;
}

/** HELP and TYPE lines. OpenMetrics names a counter's family without `_total` and escapes quotes too. */
export function headOf({ name, help, type }: Family, format: Format): string {
  const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  const escaped = format === 'openmetrics' ? text.replaceAll('"', '\\"') : text;
  return `# HELP ${family} ${escaped}\n# TYPE ${family} ${type}\n`;
}

/** `{a="b",…}`, or nothing without labels. */
export function labelText(labels: Readonly<Record<string, string | number>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

const escapeLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

export const sampleLine = ({ name, labels, value }: Sample): string =>
  `${name}${labelText(labels)} ${numberText(value)}\n`;

export function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

/** What a scraper wants by its Accept header (RFC 9110 §12.5.1): OpenMetrics only where it is named and not refused. */
export function formatFor(accept: string | undefined): Format {
  const ranges = (accept ?? '').toLowerCase().split(',');
  const wanted = ranges.find((range) => range.trim().startsWith('application/openmetrics-text'));
  return wanted === undefined || /;\s*q=0(\.0{0,3})?\s*(;|$)/.test(wanted) ? 'text' : 'openmetrics';
}
