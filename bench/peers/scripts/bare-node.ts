/** The floor: a Node server that answers as the origin would, with nothing behind it. */
import { createServer } from 'node:http';
import { originBody } from '../../proxy-traffic.ts';
import { forwardedClient, openPeerLog } from '../access-log.ts';

const [port, , logPath] = process.argv.slice(2);
const log = openPeerLog(logPath ?? '');

createServer({ optimizeEmptyRequests: true, keepAliveTimeout: 3_600_000 }, (request, response) => {
  const client = forwardedClient(request);
  const body = originBody(request.url ?? '', client);
  response.writeHead(200, ['Content-Type', 'text/html', 'Content-Length', String(body.length)]).end(body);
  log.write(client, request, 200, body.length);
}).listen(Number(port), '127.0.0.1');
