export interface WatchGrant {
  /** undefined: in all namespaces, or of a kind without them. */
  readonly namespace: string | undefined;
  /** The one object that is watched, by its name; undefined: all. */
  readonly objectName: string | undefined;
  /** Whose token is refused; undefined where it is not to be told. */
  readonly account: { readonly namespace: string; readonly name: string } | undefined;
}

/**
 * The commands that let an agent watch resources: all of them at once, for whoever lacks one mostly lacks the others. They
 * give no more than watching takes, and their roles bear the account's name: another agent needs its own beside them.
 *
 * @param resources as kubectl names them, `apiroles.postern.dev`
 */
export function grantingWatch(resources: readonly string[], { namespace, objectName, account }: WatchGrant): string {
  const agent = [account?.namespace ?? 'AGENT_NAMESPACE', account?.name ?? 'AGENT_SERVICE_ACCOUNT'];
  const role = namespace === undefined ? 'clusterrole' : 'role';
  const create = `kubectl${namespace === undefined ? '' : ` -n ${namespace}`} create`;
  const name = ['postern-watches', ...agent, ...(objectName === undefined ? [] : ['of', objectName])].join('-');
  const which = objectName === undefined ? '' : ` --resource-name=${objectName}`;
  return [
    `${create} ${role} ${name} --verb=list,watch --resource=${resources.join(',')}${which}`,
    `${create} ${role}binding ${name} --${role}=${name} --serviceaccount=${agent.join(':')}`,
  ].join(' && ');
}
