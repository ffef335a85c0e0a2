/**
 * The small site that stands behind the gateway when no origin is set, so that the first five minutes need nothing else: a
 * page that shows what the origin was told of the request. Listens on a free loopback port.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { escapeHtml } from '../captcha-pages/escape-html.ts';

export interface DemoOrigin {
  /** `http://127.0.0.1:41234` */
  readonly url: string;
  close(): Promise<void>;
}

export async function startDemoOrigin(): Promise<DemoOrigin> {
  const server = createServer((request, response) => {
    const found = request.url === '/' || request.url === '/about';
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
    response.end(found ? welcomePage(request) : missingPage);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the demo origin has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const style = `
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6570;--line:#d9dee3;--ground:#f5f6f8;--card:#fff;--mark:#2f6f4f}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4af;--line:#333a42;--ground:#14171a;--card:#1c2024;--mark:#7cc29d}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{width:100%;max-width:42rem;background:var(--card);border:1px solid var(--line);border-top:.3rem solid var(--mark);
border-radius:.6rem;padding:2.2rem}
h1{margin:0 0 .6rem;font-size:1.5rem}
table{width:100%;border-collapse:collapse;margin-top:1.2rem;font-size:.9rem}
th{text-align:left;font-weight:400;color:var(--soft);padding:.3rem 1rem .3rem 0;white-space:nowrap;vertical-align:top}
td{padding:.3rem 0;overflow-wrap:anywhere;font-family:ui-monospace,Menlo,Consolas,monospace}
`.replaceAll('\n', '');

/** What the gateway tells an origin about the one who asks. */
const shown = ['host', 'x-forwarded-for', 'x-forwarded-proto', 'x-request-id', 'user-agent'];

function welcomePage(request: IncomingMessage): string {
  const rows = shown.map(
    (name) => `<tr><th>${name}</th><td>${escapeHtml(String(request.headers[name] ?? '–'))}</td></tr>`,
  );
  return page(
    'The demo site',
    `<p>This small site stands behind Portcullis until you set an origin. You came through the gateway, and this is what it
told the site about you:</p><table>${rows.join('')}</table>`,
  );
}

const missingPage = page('Not found', '<p>The demo site has no such page.</p>');

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${style}</style></head>
<body><main><h1>${title}</h1>${body}</main></body></html>`;
}
