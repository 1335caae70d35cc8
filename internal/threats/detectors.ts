import { sqlInjection } from './sql/sql.ts';
import type { Detector } from './threat.ts';
import { crossSiteScripting } from './xss/xss.ts';

/** All detectors, in the order in which a value is given to them. */
export const DETECTORS: readonly Detector[] = [sqlInjection, crossSiteScripting];
