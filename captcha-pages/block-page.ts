/**
 * The page that a refused person sees: one plain sentence, the request id to quote, the address half hidden. No script, no
 * outside asset, no name of any engine or rule; readable with style sheets off, in light and in dark.
 */

import { escapeHtml } from './escape-html.ts';

export interface BlockPageContent {
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  readonly requestId: string;
  readonly maskedAddress: string;
  /** RFC 3339. */
  readonly time: string;
}

const style = `
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6570;--line:#d9dee3;--ground:#f5f6f8;--card:#fff;--mark:#b4532a}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4af;--line:#333a42;--ground:#14171a;--card:#1c2024;--mark:#e58a5c}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{width:100%;max-width:34rem;background:var(--card);border:1px solid var(--line);border-top:.3rem solid var(--mark);
border-radius:.6rem;padding:2.2rem 2.2rem 1.8rem}
h1{margin:0 0 .6rem;font-size:1.5rem;line-height:1.25}
p{margin:0 0 1rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.35rem 1.2rem;margin:1.4rem 0 0;padding-top:1.2rem;
border-top:1px solid var(--line);font-size:.9rem}
dt{color:var(--soft)}
dd{margin:0;font-family:ui-monospace,"SF Mono",Menlo,Consolas,monospace;overflow-wrap:anywhere}
`.replaceAll('\n', '');

export function renderBlockPage(content: BlockPageContent): string {
  const row = (name: string, value: string): string => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`;
  const advice =
    content.status === 403
      ? '<p>If you think that this is a mistake, tell the site’s owner the request id below.</p>'
      : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(content.title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(content.title)}</h1>
<p>${escapeHtml(content.detail)}</p>
${advice}
<dl>${row('Request id', content.requestId)}${row('Your address', content.maskedAddress)}${row('Time', readable(content.time))}</dl>
</main>
</body>
</html>
`;
}

/** `2026-11-21 01:13:48 UTC`, which breaks between words on a narrow screen. */
function readable(time: string): string {
  return `${time.slice(0, 19).replace('T', ' ')} UTC`;
}
