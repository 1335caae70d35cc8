import type { GrpcDoorOptions } from './grpc-door.ts';

export type DoorTelling = Pick<GrpcDoorOptions, 'onEnding' | 'onForeign'>;

/** The same for listeners of events, which must not throw: whatever becomes of the telling, the door goes on. */
export function safely({ onEnding, onForeign }: DoorTelling): Required<DoorTelling> {
  return {
    onEnding: (...said) => attempt(() => onEnding?.(...said)),
    onForeign: (...said) => attempt(() => onForeign?.(...said)),
  };
}

function attempt(tell: () => void): void {
  try {
    tell();
  } catch {
    // Nobody is left to tell.
  }
}
