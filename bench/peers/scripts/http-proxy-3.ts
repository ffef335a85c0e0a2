/** http-proxy-3 alone, with kept connections to the origin. */
import { Agent, createServer } from 'node:http';
import httpProxy from 'http-proxy-3';
import { forwardedClient, openPeerLog } from '../access-log.ts';

const [port, originPort, logPath] = process.argv.slice(2);
const log = openPeerLog(logPath ?? '');
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${originPort}`,
  agent: new Agent({ keepAlive: true, maxSockets: 64 }),
  xfwd: true,
});
proxy.on('error', (error) => {
  throw error;
});
proxy.on('proxyRes', (answer, request) => {
  const length = Number(answer.headers['content-length'] ?? 0);
  log.write(forwardedClient(request), request, answer.statusCode ?? 0, length);
});

createServer({ keepAliveTimeout: 3_600_000 }, (request, response) => proxy.web(request, response)).listen(
  Number(port),
  '127.0.0.1',
);
