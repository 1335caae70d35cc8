import { alertRules } from './alerts.ts';
import { dashboard, POLICY_VARIABLE } from './dashboard.ts';
import { DENIALS } from './denials.ts';
import { OVERVIEW } from './overview.ts';

/** The dashboards that are shipped, by the name of their file. */
export const DASHBOARDS: Readonly<Record<string, object>> = {
  'postern.json': dashboard({
    uid: 'postern',
    title: 'Postern',
    description: 'Is it well, and is it us? docs/monitoring.md says what each panel means.',
    rows: OVERVIEW,
  }),
  'postern-denials.json': dashboard({
    uid: 'postern-denials',
    title: 'Postern: denials',
    description: 'Why are we denying? docs/why-refused.md goes on from the policy and the reason.',
    rows: DENIALS,
    variables: POLICY_VARIABLE,
  }),
};

/** Dashboards and alerts in the chart, by path in it. */
export const generateMonitoring = (): [string, string][] => [
  ...Object.entries(DASHBOARDS).map(([name, model]): [string, string] => [
    `dashboards/${name}`,
    `${JSON.stringify(model, undefined, 2)}\n`,
  ]),
  ['files/alerts.yaml', alertRules()],
];
