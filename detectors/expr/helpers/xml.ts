/**
 * XML helpers. One event is asked for dozens of values, so the last document is kept parsed, and every path is parsed once;
 * both belong to the compiler that made these helpers.
 */
import type { HelperTable } from '../helper.ts';
import { stringType } from '../types.ts';
import { findXml, parseXmlPath, type XmlStep } from './xml-path.ts';
import { readXml, type XmlElement } from './xml-reader.ts';

/** Paths come from rules, but a rule may compute them. */
const mostPaths = 1_024;

export function xmlHelpers(): HelperTable {
  const find = createXmlFinder();
  return {
    XMLGetNodeValue: {
      parameters: [stringType, stringType],
      returns: stringType,
      pure: true,
      run: (xml: string, path: string) => find(xml, path)?.text ?? '',
    },
    XMLGetAttributeValue: {
      parameters: [stringType, stringType, stringType],
      returns: stringType,
      pure: true,
      run: (xml: string, path: string, name: string) => find(xml, path)?.attributes.get(name) ?? '',
    },
  };
}

function createXmlFinder(): (xml: string, path: string) => XmlElement | null {
  const paths = new Map<string, readonly XmlStep[] | null>();
  let lastText = '';
  let lastDocument: XmlElement | null = null;
  return (xml, path) => {
    if (xml !== lastText) {
      lastDocument = readXml(xml);
      lastText = xml;
    }
    let steps = paths.get(path);
    if (steps === undefined) {
      steps = parseXmlPath(path);
      if (paths.size >= mostPaths) paths.clear();
      paths.set(path, steps);
    }
    return lastDocument === null || steps === null ? null : findXml(lastDocument, steps);
  };
}
