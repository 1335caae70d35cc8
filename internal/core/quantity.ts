const SIZE = /^([0-9]{1,12})(Ki|Mi|Gi|k|M|G)?$/;
const UNITS = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, k: 1000, M: 1e6, G: 1e9 } as const;

/**
 * Bytes of a whole quantity as Kubernetes writes them, `64Ki` or `4096`.
 *
 * @returns undefined where it is none
 */
export function parseQuantity(text: string): number | undefined {
  const [, digits, unit] = SIZE.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (unit === undefined ? 1 : UNITS[unit as keyof typeof UNITS]);
}
