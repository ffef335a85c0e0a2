/** Character references as an attribute's value may hold them: numbers with or without `;`, and the names that hide a scheme. */

const names: Readonly<Record<string, string>> = {
  Tab: '\t',
  NewLine: '\n',
  colon: ':',
  lpar: '(',
  rpar: ')',
  sol: '/',
  period: '.',
  nbsp: '\xa0',
};

const reference = /&(?:#[xX]0*([\dA-Fa-f]{1,6})|#0*(\d{1,7})|(Tab|NewLine|colon|lpar|rpar|sol|period|nbsp));?/g;

/** `text` with its references replaced; those beyond the first byte become `?`. */
export function decodeHtmlReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    reference,
    (_, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return names[name] ?? '';
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code < 256 ? String.fromCharCode(code) : '?';
    },
  );
}
