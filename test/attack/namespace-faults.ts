import { EVERY, type FaultCase, failing, put } from './fault.ts';

/** What the namespace knows of callers. One that answers with a promise has answered neither yes nor no. */
export const NAMESPACE_FAULTS: readonly FaultCase[] = [
  ...put({
    at: 'consumers',
    faults: EVERY,
    becomes: 500,
    but: { hangs: 503 },
    parts: (fault) => ({ namespace: (view) => ({ ...view, consumers: { find: failing(fault) } }) }),
  }),
  ...put({
    at: 'roles in an allow',
    faults: EVERY,
    becomes: 403,
    but: { throws: 500, 'throws nothing': 500 },
    parts: (fault) => ({
      namespace: ({ consumers, roles }) => ({
        consumers,
        roles: {
          permits: failing(fault, false),
          isHeldForDeny: (role, evaluation) => roles.isHeldForDeny(role, evaluation),
          rolesOf: failing(fault, false),
        },
      }),
    }),
  }),
  ...put({
    at: 'roles in an expression',
    faults: EVERY,
    asks: 'token',
    becomes: 403,
    parts: (fault) => ({
      edit: (policies) => policies.replace(`"identity.kind == 'jwt'"`, '"size(identity.roles) >= 0"'),
      namespace: ({ consumers, roles }) => ({
        consumers,
        roles: {
          permits: (role, evaluation) => roles.permits(role, evaluation),
          isHeldForDeny: (role, evaluation) => roles.isHeldForDeny(role, evaluation),
          rolesOf: failing(fault, false),
        },
      }),
    }),
  }),
  ...put({
    at: 'roles in a deny',
    faults: EVERY,
    becomes: 403,
    but: { throws: 500, 'throws nothing': 500 },
    parts: (fault) => ({
      namespace: ({ consumers, roles }) => ({
        consumers,
        roles: {
          permits: (role, evaluation) => roles.permits(role, evaluation),
          isHeldForDeny: failing(fault, false),
          rolesOf: failing(fault, false),
        },
      }),
    }),
  }),
];
