/** Text for HTML, in content and in quoted attributes. Every page that shows what a client sent goes through here. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
