import { readFileSync } from 'node:fs';

/** What a stage of a Dockerfile does, in order. */
export type Instruction =
  | { readonly kind: 'FROM'; readonly image: string; readonly stage: string | undefined }
  | {
      readonly kind: 'COPY';
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    }
  | { readonly kind: 'RUN'; readonly command: string }
  | { readonly kind: 'ENTRYPOINT' | 'CMD'; readonly args: readonly string[] }
  | { readonly kind: 'WORKDIR' | 'USER' | 'ENV' | 'EXPOSE'; readonly text: string };

/**
 * Reads a Dockerfile of the plain form that ours has: one instruction a line, ENTRYPOINT and CMD as JSON.
 *
 * @throws {Error} on an instruction that it does not know, so that nothing is passed over
 */
export function readDockerfile(path: string): readonly Instruction[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(readInstruction);
}

function readInstruction(line: string): Instruction {
  const [, word = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
  const kind = word as Instruction['kind'];
  switch (kind) {
    case 'FROM': {
      const [image = '', , stage] = text.split(/\s+/);
      return { kind, image, stage };
    }
    case 'COPY': {
      const words = text.split(/\s+/);
      const from = words.find((one) => one.startsWith('--from='))?.slice('--from='.length);
      const places = words.filter((one) => !one.startsWith('--'));
      return { kind, from, sources: places.slice(0, -1), target: places.at(-1) ?? '' };
    }
    case 'RUN':
      return { kind, command: text };
    case 'ENTRYPOINT':
    case 'CMD':
      return { kind, args: JSON.parse(text) as string[] };
    case 'WORKDIR':
    case 'USER':
    case 'ENV':
    case 'EXPOSE':
      return { kind, text };
    default:
      throw new Error(`Unknown instruction: ${line}`);
  }
}
