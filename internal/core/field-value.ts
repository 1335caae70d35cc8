// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

const SHORT = 64;

/**
 * What can stand in a header field (RFC 9110 §5.5): no control character but the tab, and no lone surrogate, for it
 * would leave as another character. One definition for what policies make and for what doors send.
 */
export function isFieldValue(value: string): boolean {
  // Short and of printable ASCII, as nearly all are: looked through here, for starting a pattern takes longer.
  if (value.length > SHORT) return !CONTROL.test(value) && value.isWellFormed();
  for (let i = 0; i < value.length; i += 1) {
    const unit = value.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e) return !CONTROL.test(value) && value.isWellFormed();
  }
  return true;
}
