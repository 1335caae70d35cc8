import { z } from 'zod';

/** A host as policies and grants name it: canonical, `*.` before it for one or more labels below. */
export const host = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(
      /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/,
      'must be a lower-case host, as in "api.example.org" or "*.example.org", without scheme, port or path',
    );
