/** Comma-separated values (RFC 4180), safe to open in a spreadsheet: a field that would be a formula is quoted as text. */

/** Spreadsheets compute what begins so (OWASP, "CSV injection"). Numbers and durations may begin with a minus. */
const formula = /^(?:[=+@\t\r]|-(?!\d))/;

export function csvLine(fields: readonly (string | number | boolean)[]): string {
  return fields.map((field) => csvField(String(field))).join(',');
}

function csvField(text: string): string {
  const inert = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
