import type { Ending } from '../core/door-bounds.ts';
import { ERROR } from './codes.ts';

/** What ends a whole connection: the code for its GOAWAY, and the bound that counts it. */
export class ConnectionError extends Error {
  readonly code: number;
  readonly ending: Ending;

  constructor(code: number, message: string, ending: Ending = 'protocol') {
    super(message);
    this.code = code;
    this.ending = ending;
  }
}

/** A peer that does more than it may, though each frame of it is right. */
export const tooMuch = (ending: Ending, message: string): ConnectionError =>
  new ConnectionError(ERROR.enhanceYourCalm, message, ending);
