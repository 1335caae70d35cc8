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
export const grantingWatch = (resources: readonly string[], where: WatchGrant): string =>
  granting({ ...where, what: 'watches', verbs: 'list,watch', resources });

/** The commands that let an agent have its Leases in a namespace, of all replicas of its class. */
export const grantingLeases = (where: Pick<WatchGrant, 'account'> & { readonly namespace: string }): string =>
  granting({
    ...where,
    objectName: undefined,
    what: 'leases',
    verbs: 'get,list,watch,create,update,delete',
    resources: ['leases.coordination.k8s.io'],
  });

/**
 * The commands that let an agent write statuses, and nothing else of the objects.
 *
 * @param resources as kubectl names them, `apiroles.postern.dev`
 */
export const grantingStatuses = (resources: readonly string[], where: Omit<WatchGrant, 'objectName'>): string =>
  granting({
    ...where,
    objectName: undefined,
    what: 'statuses',
    verbs: 'patch',
    resources: resources.map((resource) => `${resource}/status`),
  });

/** The commands that let an agent read single objects again, as it does before it writes the status of a changed one. */
export const grantingReads = (resources: readonly string[], where: Omit<WatchGrant, 'objectName'>): string =>
  granting({ ...where, objectName: undefined, what: 'reads', verbs: 'get', resources });

interface Granting extends WatchGrant {
  /** What the role is for, in its name. */
  readonly what: string;
  readonly verbs: string;
  readonly resources: readonly string[];
}

function granting({ namespace, objectName, account, what, verbs, resources }: Granting): string {
  const agent = [account?.namespace ?? 'AGENT_NAMESPACE', account?.name ?? 'AGENT_SERVICE_ACCOUNT'];
  const role = namespace === undefined ? 'clusterrole' : 'role';
  const create = `kubectl${namespace === undefined ? '' : ` -n ${namespace}`} create`;
  const name = [`postern-${what}`, ...agent, ...(objectName === undefined ? [] : ['of', objectName])].join('-');
  const which = objectName === undefined ? '' : ` --resource-name=${objectName}`;
  return [
    `${create} ${role} ${name} --verb=${verbs} --resource=${resources.join(',')}${which}`,
    `${create} ${role}binding ${name} --${role}=${name} --serviceaccount=${agent.join(':')}`,
  ].join(' && ');
}
