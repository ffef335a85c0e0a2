/**
 * Text from outside, made safe to show: an attacker chooses paths and user agents, and a terminal obeys control characters.
 * Also the width that a text takes in a terminal, so that columns stay aligned.
 */

/**
 * Control characters of both ranges, invisible and direction-changing ones, line and paragraph separators, lone surrogates,
 * and the tag characters that copy unseen.
 */
const unsafe =
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;

/** The text with everything that a terminal would obey or hide written out: `\x1b`, `\u{202e}`. */
export function safeText(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** Combining marks take no room; East Asian wide characters and pictures take two cells. */
const combining = /\p{M}/u;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]/u;

/** Cells of a terminal that a safe text takes. */
export function widthOf(text: string): number {
  if (!/[^\x20-\x7e]/.test(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += combining.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return cells;
}

/** Cut to `cells`, with an ellipsis when something is missing. */
export function cutTo(text: string, cells: number): string {
  if (widthOf(text) <= cells) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    const next = used + widthOf(character);
    if (next > cells - 1) break;
    kept += character;
    used = next;
  }
  return `${kept}…`;
}
