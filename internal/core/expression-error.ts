/** Why an expression has no value on this request. A value itself: `||` and `&&` may absorb it. */
export class ExpressionError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}
