/** All mistakes of a configuration as one error: each with its place and, where one is near, a suggestion. */
import { type ErrorCode, GatewayError } from '../core/errors.ts';

export interface SettingsFault {
  /** The file, or the environment variable, that holds the mistake; null when nothing was written at all. */
  readonly file: string | null;
  /** From 1; null for a variable or a file as a whole. */
  readonly line: number | null;
  readonly column: number | null;
  /** `upstream.connectTimeout`, `sites[0].hosts[1]`; "" for a file as a whole. */
  readonly path: string;
  readonly message: string;
  /** What was probably meant, ready to be copied; null when nothing is near. */
  readonly suggestion: string | null;
}

export class SettingsError extends GatewayError {
  readonly faults: readonly SettingsFault[];

  constructor(code: Extract<ErrorCode, 'SETTINGS_INVALID' | 'SETTINGS_UNREADABLE'>, faults: readonly SettingsFault[]) {
    const lines = faults.map((fault) => `  ${formatFault(fault)}`).join('\n');
    const title = faults.length === 1 ? 'The settings have a mistake:' : `The settings have ${faults.length} mistakes:`;
    super(code, `${title}\n${lines}`, {
      remedy: 'docs/configuration.md lists every key; `portcullis validate` checks again.',
    });
    this.faults = faults;
  }
}

/** `portcullis.yaml:3:5: upstream.conectTimeout: unknown key. Did you mean connectTimeout?` */
export function formatFault({ file, line, column, path, message, suggestion }: SettingsFault): string {
  const place = [file, line, column].filter((part) => part !== null).join(':');
  const question = suggestion === null ? '' : `. Did you mean ${suggestion}?`;
  return [place, path, message].filter((part) => part !== '').join(': ') + question;
}

/** `sites[0].hosts`: the spelling of a path within the settings. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
