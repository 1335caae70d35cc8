import { option } from './option.ts';
import { choice, filePath, labelName, labelNames, labelSelector, switched } from './scalars.ts';

/** Where policies come from, and which of them this instance serves. */
export const SOURCE_OPTIONS = Object.freeze({
  policies: option({
    placeholder: 'DIR',
    doc: 'Serve the policies of a directory, reloaded when files change (standalone)',
    isPath: true,
    parse: filePath,
  }),
  kube: option({
    placeholder: undefined,
    fallback: 'false',
    doc: 'Serve the policies of a Kubernetes API server, from inside a Pod or by a kubeconfig',
    parse: switched,
  }),
  kubeconfig: option({
    placeholder: 'FILE',
    only: 'kube',
    fallbackDoc: "$KUBECONFIG, else ~/.kube/config, else the Pod's service account",
    doc: 'How to reach the API server',
    isPath: true,
    parse: filePath,
  }),
  class: option({
    placeholder: 'NAME',
    fallback: 'postern',
    doc: 'Serve the policies of this spec.className',
    parse: labelName,
  }),
  namespace: option({
    placeholder: 'NAMES',
    isList: true,
    only: 'kube',
    fallbackDoc: 'every namespace',
    doc: 'Watch only these namespaces',
    parse: labelNames,
  }),
  'policy-selector': option({
    placeholder: 'SELECTOR',
    only: 'kube',
    fallbackDoc: 'every policy',
    doc: 'Serve only policies whose labels match',
    parse: labelSelector,
  }),
  'workload-labels': option({
    placeholder: 'FILE',
    only: 'kube',
    doc: "Be a sidecar of its class: the Pod's labels as the downward API writes them, reloaded when they change; needs one --namespace",
    isPath: true,
    parse: filePath,
  }),
  'sidecar-class': option({
    placeholder: undefined,
    fallback: 'false',
    only: 'kube',
    doc: "Judge the policies of a sidecar class and write their status; every check is refused, for that is the sidecars' to decide",
    parse: switched,
  }),
  'host-grants': option({
    placeholder: 'RULE',
    choices: ['required', 'first-come'],
    fallbackDoc: 'required when several namespaces are watched, else first-come',
    doc: 'Who may claim a host: whom a HostGrant names, also path by path, or the namespace that came first',
    parse: choice('required', 'first-come'),
  }),
});
