/**
 * The real ModSecurity: Debian's nginx with its module, in front of a backend, with rules that only detect. Each response names its
 * connection (`X-Connection`), and so does each line that rules write to nginx's error log.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { idsOf } from '../../../detectors/waf/ftw/log-line.ts';
import type { RuleSource } from '../../../detectors/waf/seclang/rule-files.ts';
import { startProcess, temporaryFolder, withFreePort, type Teardown } from './process.ts';

export interface ModSecurityServer {
  readonly url: URL;
  /** Ends the server; then: the ids of the rules that fired, by connection. */
  finish(): Promise<ReadonlyMap<string, readonly number[]>>;
}

/** Where Debian's libnginx-mod-http-modsecurity puts it. */
export const modSecurityModule = '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so';

/** Rejects with `ProcessFailure` holding ModSecurity's own words when it does not understand a rule. */
export function startModSecurity(
  t: Teardown,
  rules: readonly RuleSource[],
  backendPort: number,
): Promise<ModSecurityServer> {
  return withFreePort(async (port) => {
    const folder = await temporaryFolder(t, 'modsecurity');
    const texts = rules.map((rule) => (rule.kind === 'file' ? `Include "${rule.path}"` : rule.text));
    await writeFile(join(folder, 'rules.conf'), `${[...texts, 'SecRuleEngine DetectionOnly'].join('\n')}\n`, 'latin1');
    await writeFile(join(folder, 'nginx.conf'), nginxConfig(folder, port, backendPort));
    const server = await startProcess(t, {
      command: 'nginx',
      args: ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
      cwd: folder,
      ready: /start worker process|OS: /,
    });
    return {
      url: new URL(`http://127.0.0.1:${port}`),
      async finish() {
        await server.stop();
        return idsByConnection(await readFile(join(folder, 'rules.log'), 'latin1'));
      },
    };
  });
}

/** `… [info] 12#12: *34 ModSecurity: Warning. … [id "942100"] …` */
function idsByConnection(log: string): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const line of log.split('\n')) {
    const connection = /^\S+ \S+ \[\w+\] \d+#\d+: \*(\d+) ModSecurity: /.exec(line)?.[1];
    if (connection === undefined) continue;
    const ids = found.get(connection) ?? [];
    // The rule's own id comes first; what a request says may look like another.
    ids.push(...idsOf([line]).slice(0, 1));
    found.set(connection, ids);
  }
  return found;
}

/** One process without a master. What nginx would refuse or drop by default is let through, so that rules see it. */
function nginxConfig(folder: string, port: number, backendPort: number): string {
  return `load_module ${modSecurityModule};
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr notice;
error_log ${folder}/rules.log info;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  underscores_in_headers on;
  ignore_invalid_headers off;
  large_client_header_buffers 8 128k;
  server {
    listen 127.0.0.1:${port};
    modsecurity on;
    modsecurity_rules_file ${folder}/rules.conf;
    add_header X-Connection $connection always;
    location / { proxy_pass http://127.0.0.1:${backendPort}; proxy_set_header Host localhost; }
  }
}
`;
}
