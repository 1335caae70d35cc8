// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * What can stand in a header field (RFC 9110 §5.5): no control character but the tab, and no lone surrogate, for it
 * would leave as another character. One definition for what policies make and for what doors send.
 */
export const isFieldValue = (value: string): boolean => !CONTROL.test(value) && value.isWellFormed();
