/** `compileTemplate`: the text of a notification's `format` → something that turns alerts into a message. */
import { evaluateTemplate } from './evaluator.ts';
import { type FunctionTable, functionTable } from './functions/function-table.ts';
import { parseTemplate } from './parser.ts';
import { defaultLimits, RenderContext, type TemplateLimits, type TemplateRuntime } from './render-context.ts';
import { syntaxFault } from './template-error.ts';
import type { TemplateValue } from './values.ts';

/** The longest template that is read. */
const longestTemplate = 262_144;

export interface Template {
  readonly name: string;
  readonly source: string;
  /** @throws TemplateError and nothing else. */
  render(data: TemplateValue, runtime: TemplateRuntime, limits?: TemplateLimits): string;
}

/** @throws TemplateError for the first fault, an unknown or refused function among them. */
export function compileTemplate(
  name: string,
  source: string,
  { functions, refused }: FunctionTable = functionTable(),
): Template {
  if (source.length > longestTemplate) {
    throw syntaxFault(name, source, 0, `the template is longer than ${longestTemplate} characters`);
  }
  const parsed = parseTemplate(name, source, (word) => {
    if (functions.has(word) || word === 'and' || word === 'or') return null;
    const reason = refused.get(word);
    return reason === undefined
      ? `function ${JSON.stringify(word)} not defined`
      : `function ${JSON.stringify(word)} is not offered: ${reason}`;
  });
  const template = { name, source, parsed, functions };
  return {
    name,
    source,
    render: (data, runtime, limits = defaultLimits) =>
      evaluateTemplate(template, data, new RenderContext(runtime, limits)),
  };
}
