import type { Refusal } from '../../core/decision.ts';
import { type Shape, tooComplex } from './content-limits.ts';
import { unsupported } from './refusals.ts';
import { malformed } from './unreadable.ts';
import { scanXml, type XmlProblem } from './xml-scan.ts';

const REFUSALS: Readonly<Record<XmlProblem, Refusal>> = Object.freeze({
  dtd: malformed('the XML has a document type or another declaration', 'xmlDtd'),
  entity: malformed('the XML has an entity that not every reader knows', 'xmlEntity'),
  instruction: malformed('the XML has a processing instruction', 'xmlInstruction'),
  syntax: malformed('the text is not XML', 'xml'),
  encoding: unsupported('content-type', 'charset', 'Send the body as UTF-8'),
  deep: tooComplex('xmlDepth'),
  large: tooComplex('xmlElements'),
});

/** Measures an XML body, or says why it is not taken. */
export function xmlShape(text: string): Shape | Refusal {
  const scanned = scanXml(text);
  return typeof scanned === 'string' ? REFUSALS[scanned] : { ...scanned };
}
