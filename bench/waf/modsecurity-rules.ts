/** The rules that both ModSecurity peers load: the settings that Debian recommends, then the Core Rule Set as it is published. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WafPeerContext } from './peer.ts';

/** Both packages bring it. */
const unicodeMap = '/etc/modsecurity/unicode.mapping';

/** Writes the file; its path. No peer writes an audit log. */
export async function writeModSecurityRules(context: WafPeerContext): Promise<string> {
  const { folder, coreRules, paranoia, inboundThreshold } = context;
  const file = join(folder, 'rules.conf');
  await writeFile(
    file,
    `SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecRequestBodyLimitAction Reject
SecRequestBodyJsonDepthLimit 512
SecPcreMatchLimit 100000
SecPcreMatchLimitRecursion 100000
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecResponseBodyLimit 524288
SecResponseBodyLimitAction ProcessPartial
SecTmpDir /tmp/
SecDataDir /tmp/
SecAuditEngine Off
SecUnicodeMapFile ${unicodeMap} 20127
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\\+|/)|text/)xml" \\
  "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/json" \\
  "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:200002,phase:2,t:none,log,deny,status:400"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" "id:200003,phase:2,t:none,log,deny,status:400"
SecRule MULTIPART_UNMATCHED_BOUNDARY "@eq 1" "id:200004,phase:2,t:none,log,deny,status:400"
SecRule TX:/^MSC_/ "!@streq 0" "id:200005,phase:2,t:none,log,deny,status:500"
Include ${coreRules}/crs-setup.conf.example
SecAction "id:900000,phase:1,pass,t:none,nolog,setvar:tx.blocking_paranoia_level=${paranoia}"
SecAction "id:900110,phase:1,pass,t:none,nolog,setvar:tx.inbound_anomaly_score_threshold=${inboundThreshold}"
Include ${coreRules}/rules/*.conf
`,
  );
  return file;
}
