const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const V4 = `(${OCTET}\\.){3}${OCTET}`;
const GROUP = '[0-9a-fA-F]{1,4}';
const V6 = [
  `(${GROUP}:){7}${GROUP}`,
  `(${GROUP}:){1,7}:`,
  ...[1, 2, 3, 4, 5, 6].map((after) => `(${GROUP}:){1,${7 - after}}(:${GROUP}){1,${after}}`),
  `:(:${GROUP}){1,7}`,
  '::',
].join('|');
const V4_PREFIX = '(3[0-2]|[12][0-9]|[1-9])';
const V6_PREFIX = '(12[0-8]|1[01][0-9]|[1-9][0-9]|[1-9])';

/** Patterns without anchors, as JavaScript and Go read them. An address or a network, `/0` too; host bits they do not see. */
export const IP_NETWORK = `(${V4}(/(0|${V4_PREFIX}))?|(${V6})(/(0|${V6_PREFIX}))?)`;

/** The same without `/0`: nobody trusts every address. */
export const PEER_NETWORK = `(${V4}(/${V4_PREFIX})?|(${V6})(/${V6_PREFIX})?)`;

/** A network as a NetworkPolicy takes it, which wants the prefix. */
export const CIDR = `(${V4}/(0|${V4_PREFIX})|(${V6})/(0|${V6_PREFIX}))`;
