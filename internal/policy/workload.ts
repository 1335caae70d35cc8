/** Labels of a Pod, as its kubelet tells them. */
export type PodLabels = ReadonlyMap<string, string>;

/** What stands for the Pod where others have hosts. It is no host: no request can name it. */
export const THIS_WORKLOAD = 'this workload';

const NO_HOSTS: readonly string[] = Object.freeze([]);
const WORKLOAD_HOSTS: readonly string[] = Object.freeze([THIS_WORKLOAD]);

/**
 * The Pod that policies of a sidecar class are asked about. A policy that selects it governs every request to it, as one
 * elsewhere governs a host. Without labels it is no Pod that is asked about: policies are judged, and none is selected.
 */
export class Workload {
  #labels: PodLabels | undefined;
  #next: PodLabels | undefined;

  constructor(labels?: PodLabels) {
    this.#labels = labels;
    this.#next = labels;
  }

  /** The labels are others from the next build on. */
  relabel(labels: PodLabels): void {
    this.#next = labels;
  }

  /** Called before a build, and never while one runs: all of it sees the same labels. */
  settle(): void {
    this.#labels = this.#next;
  }

  /** What a policy claims that selects these labels; every one of them has to be the Pod's. */
  hostsOf(matchLabels: readonly (readonly [name: string, value: string])[]): readonly string[] {
    const labels = this.#labels;
    if (labels === undefined) return NO_HOSTS;
    return matchLabels.every(([name, value]) => labels.get(name) === value) ? WORKLOAD_HOSTS : NO_HOSTS;
  }
}
