export interface WatchGrant {
  /** undefined: in all namespaces, or of a kind without them. */
  readonly namespace: string | undefined;
  /** Whose token is refused; undefined where it is not to be told. */
  readonly account: { readonly namespace: string; readonly name: string } | undefined;
}

/**
 * The commands that let an agent watch resources: all of them at once, for whoever lacks one mostly lacks the others.
 *
 * @param resources as kubectl names them, `apiroles.postern.dev`
 */
export function grantingWatch(resources: readonly string[], { namespace, account }: WatchGrant): string {
  const subject = `--serviceaccount=${account?.namespace ?? 'AGENT_NAMESPACE'}:${account?.name ?? 'AGENT_SERVICE_ACCOUNT'}`;
  const role = namespace === undefined ? 'clusterrole' : 'role';
  const create = `kubectl${namespace === undefined ? '' : ` -n ${namespace}`} create`;
  const name = 'postern-watches';
  return [
    `${create} ${role} ${name} --verb=get,list,watch --resource=${resources.join(',')}`,
    `${create} ${role}binding ${name} --${role}=${name} ${subject}`,
  ].join(' && ');
}
