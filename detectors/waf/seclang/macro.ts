/** `%{TX.score}` and `%{MATCHED_VAR}` in texts of rules. ModSecurity Reference Manual, "Macro Expansion". */
import type { VariableName } from '../variable-names.ts';

export interface MacroReference {
  readonly variable: VariableName;
  /** Lower case; null for a variable as such. */
  readonly key: string | null;
}

export interface Macro {
  /** As it was written. */
  readonly source: string;
  /** Texts and references in turn; a plain text has none of the latter. */
  readonly parts: readonly (string | MacroReference)[];
}
