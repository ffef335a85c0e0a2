/** The functions that CrowdSec adds for notifications. */
import { isList, isMap, isStruct, type TemplateFunction, type TemplateValue } from '../values.ts';
import { define } from '../values.ts';
import { escapeHtml } from './builtins.ts';

export const crowdsecFunctions: Readonly<Record<string, TemplateFunction>> = {
  /** The values that the alert's events have under a key, in order; `uniq` removes what occurs twice. */
  GetMeta: define(['any', 'text'], ([alert, key]) => {
    const events = fieldOf(alert, 'Events');
    if (!isList(events)) return [];
    return events.flatMap((event) => {
      const meta = fieldOf(event, 'Meta');
      return isList(meta)
        ? meta.filter((each) => fieldOf(each, 'Key') === key).map((each) => fieldOf(each, 'Value'))
        : [];
    });
  }),
  Hostname: define([], (_, { runtime }) => runtime.hostname),
  HTMLEscape: define(['text'], ([text]) => escapeHtml(text)),
};

function fieldOf(value: TemplateValue, name: string): TemplateValue {
  if (isStruct(value)) return value.fields.get(name)?.value ?? null;
  return isMap(value) ? (value.get(name) ?? null) : null;
}
