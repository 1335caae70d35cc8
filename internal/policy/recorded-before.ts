import type { Candidate } from './assign.ts';
import type { CompiledPolicy } from './compiled-policy.ts';

/** What served before this process began, as status tells it. */
export function recordedBefore({
  newest,
  accepted,
  isRestored,
  isRecordedNewest,
}: Candidate): CompiledPolicy | undefined {
  if (accepted !== undefined) return isRestored ? accepted : undefined;
  return isRecordedNewest ? newest : undefined;
}
