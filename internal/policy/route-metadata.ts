import type { Attributes } from '../core/attributes.ts';
import { member } from '../core/member.ts';
import type { RouteName } from './selection.ts';

/** Namespace of Envoy Gateway's route metadata (SecurityPolicy `extAuth.includeRouteMetadata`). */
const NAMESPACE = 'envoy-gateway';

/**
 * The routes that Envoy Gateway says this request took, undefined when it says nothing. Written by the gateway, not by
 * clients or tenants: the one trustworthy way to learn an HTTPRoute.
 */
export function routesOf(attributes: Attributes): readonly RouteName[] | undefined {
  const resources = member(member(attributes.routeMetadata(), NAMESPACE), 'resources');
  if (!Array.isArray(resources)) return undefined;
  const routes: RouteName[] = [];
  for (const resource of resources) {
    const [kind, namespace, name] = ['kind', 'namespace', 'name'].map((key) => member(resource, key));
    if (typeof kind !== 'string' || typeof namespace !== 'string' || typeof name !== 'string') continue;
    const sectionName = member(resource, 'sectionName');
    routes.push({ kind, namespace, name, sectionName: typeof sectionName === 'string' ? sectionName : undefined });
  }
  return routes.length === 0 ? undefined : routes;
}
