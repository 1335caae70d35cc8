import { z } from 'zod';
import { labelSelector, pathTemplates } from '../../core/schema.ts';
import { host } from './host.ts';

export const hostGrantSpec = z.strictObject({
  hosts: z
    .array(host())
    .min(1)
    .max(64)
    .describe('Hosts that may be claimed: exact, or *.example.org with all that is below it, wildcards included.'),
  paths: pathTemplates().default(['/**']).describe('Paths below which they may be claimed.'),
  namespaceSelector: labelSelector().describe('Namespaces that may claim them; {} is all of them, in so many words.'),
});

export type HostGrantSpec = z.output<typeof hostGrantSpec>;
