import { type ErrorCode, PosternError } from '../core/error.ts';

/** What whoever started the command has to mend: its flags, its configuration, its files. */
const THEIRS: ReadonlySet<ErrorCode> = new Set(['ERR_POSTERN_CONFIG', 'ERR_POSTERN_FILE', 'ERR_POSTERN_TLS']);

/** How a command ends that failed: 2 for a mistake in how it was called or in what it was given, else 1. */
export const exitCodeOf = (error: unknown): 1 | 2 => (error instanceof PosternError && THEIRS.has(error.code) ? 2 : 1);
