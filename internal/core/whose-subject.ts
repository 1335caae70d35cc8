/**
 * Two issuers may call two callers alike: what reads `identity.subject` says whose it is by the issuer, or by a method,
 * which has one.
 */
export const tellsWhose = (attributes: ReadonlySet<string>): boolean =>
  attributes.has('identity.issuer') || attributes.has('identity.method');
