/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>;

/** A selector as authors write it (apimachinery, meta/v1 LabelSelector). */
export interface LabelSelectorSpec {
  readonly matchLabels?: Labels | undefined;
  readonly matchExpressions?: readonly Requirement[] | undefined;
}

interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[] | undefined;
}

export type LabelMatcher = (labels: Labels) => boolean;

/** All that is given must hold; an empty selector matches everything. */
export function compileLabelSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelectorSpec): LabelMatcher {
  const wanted = Object.entries(matchLabels);
  const requirements = matchExpressions.map(compileRequirement);
  return (labels) =>
    wanted.every(([key, value]) => labelOf(labels, key) === value) && requirements.every((holds) => holds(labels));
}

function compileRequirement({ key, operator, values }: Requirement): LabelMatcher {
  const set = new Set(values);
  switch (operator) {
    case 'In':
      return (labels) => isOneOf(set, labelOf(labels, key));
    case 'NotIn':
      return (labels) => !isOneOf(set, labelOf(labels, key));
    case 'Exists':
      return (labels) => labelOf(labels, key) !== undefined;
    case 'DoesNotExist':
      return (labels) => labelOf(labels, key) === undefined;
  }
}

const isOneOf = (values: ReadonlySet<string>, value: string | undefined): boolean =>
  value !== undefined && values.has(value);

/** Never a member that every object has: a label may be called "constructor". */
const labelOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;
