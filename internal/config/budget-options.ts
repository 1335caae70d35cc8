import { option } from './option.ts';
import { bytes, count } from './scalars.ts';

/** What all namespaces, and each of them, may take of the agent. */
export const BUDGET_OPTIONS = Object.freeze({
  'max-limit-keys': option({
    placeholder: 'COUNT',
    fallback: '1000000',
    doc: 'Most keys of rate limits held in memory',
    parse: count(1000, 100_000_000),
  }),
  'namespace-policies': option({
    placeholder: 'COUNT',
    fallbackDoc: '10000 where several namespaces are watched, else no bound',
    doc: 'Most policies of a namespace; the newest above that are not accepted (QuotaExceeded)',
    parse: count(1, 10_000_000),
  }),
  'namespace-policy-bytes': option({
    placeholder: 'SIZE',
    fallbackDoc: '256Mi where several namespaces are watched, else no bound',
    doc: 'Most memory that the compiled policies of a namespace take, as it is estimated of their specs and patterns',
    parse: bytes(1024 * 1024, 1024 * 1024 * 1024 * 1024),
  }),
  'namespace-objects': option({
    placeholder: 'COUNT',
    fallbackDoc: '100000 where several namespaces are watched, else no bound',
    doc: 'Most consumers, roles and bindings of a namespace together; the newest above that count for nothing (QuotaExceeded)',
    parse: count(1, 10_000_000),
  }),
  'namespace-object-bytes': option({
    placeholder: 'SIZE',
    fallbackDoc: '256Mi where several namespaces are watched, else no bound',
    doc: 'Most memory that they take compiled, as it is estimated of their specs',
    parse: bytes(1024 * 1024, 1024 * 1024 * 1024 * 1024),
  }),
});
