/** Apache with ModSecurity 2 (Debian's `libapache2-mod-security2`): one process, kept connections to the origin. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startListener } from '../peers/peer.ts';
import { writeModSecurityRules } from './modsecurity-rules.ts';
import type { WafPeer, WafPeerContext } from './peer.ts';

const modules = ['mpm_event', 'authz_core', 'remoteip', 'unique_id', 'proxy', 'proxy_http', 'security2'];

export const apacheModSecurityPeer: WafPeer = {
  name: 'apache+modsecurity2',
  about:
    "Apache, 1 process of 32 threads (event), Debian's ModSecurity 2, kept origin connections, buffered access log",
  async start(t, context) {
    const config = join(context.folder, 'httpd.conf');
    await writeFile(config, configuration(context, await writeModSecurityRules(context)));
    const args = ['-d', context.folder, '-f', config, '-DFOREGROUND'];
    const debianPackage = 'libapache2-mod-security2';
    return {
      process: await startListener(t, { ...context, command: 'apache2', args, debianPackage }),
      inspected: null,
    };
  },
};

/** Root must name whom to become; anybody else must not. */
function configuration({ folder, port, originPort, accessLog }: WafPeerContext, rules: string): string {
  return `ServerName shop.example
Listen 127.0.0.1:${port}
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
${process.getuid?.() === 0 ? 'User nobody\nGroup nogroup' : ''}
PidFile ${folder}/httpd.pid
DefaultRuntimeDir ${folder}
Mutex posixsem
ErrorLog ${folder}/error.log
LogLevel error
LogFormat "%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog ${accessLog} combined
BufferedLogs On
KeepAlive On
KeepAliveTimeout 3600
MaxKeepAliveRequests 0
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:${originPort}/ keepalive=On ttl=3600
Include ${rules}
`;
}
