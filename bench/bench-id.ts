/** Stands in a check for Envoy's stream id, as long as one; the load writes a number of its own over it. */
export const BENCH_ID = '10000000000000000000';
