/** `@detectSQLi` and `@detectXSS`: the detectors of `injection/`. TX.0 is the fingerprint, or the text. */
import { anyText, type OperatorFactory } from './operator.ts';

export const detectSqli: OperatorFactory = (_, __, dependencies) => ({
  need: anyText,
  test: (text, run) => {
    const fingerprint = dependencies.detectSqli(text.value);
    if (fingerprint === null) return false;
    if (run.captures) run.captured = [fingerprint];
    return true;
  },
});

export const detectXss: OperatorFactory = (_, __, dependencies) => ({
  need: anyText,
  test: (text, run) => {
    if (!dependencies.detectXss(text.value)) return false;
    if (run.captures) run.captured = [text.value];
    return true;
  },
});
