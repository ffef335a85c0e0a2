/** Access and error logs of web servers and load balancers: Apache, nginx, HAProxy, Amazon. */
import { type GrokTable, oneOf } from './table.ts';

/** The request line, which may also be anything: `names` are the types of the method and of the target. */
function requestLine(target: string): string {
  return `(?:%{WORD:verb} ${target}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})`;
}

const client = (kind: string): string => String.raw`\[client ${kind}\]`;

export const apache: GrokTable = {
  COMMONAPACHELOG: [
    '%{IPORHOST:clientip} %{HTTPDUSER:ident} %{USER:auth}',
    String.raw`\[%{HTTPDATE:timestamp}\]`,
    `"${requestLine('%{NOTSPACE:request}')}"`,
    '%{NUMBER:response} (?:%{NUMBER:bytes}|-)',
  ].join(' '),
  COMBINEDAPACHELOG: '%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}',
  HTTPD20_ERRORLOG: [
    String.raw`\[%{HTTPDERROR_DATE:timestamp}\] \[%{LOGLEVEL:loglevel}\] `,
    `(?:${client('%{IPORHOST:clientip}')} )?`,
    '%{GREEDYDATA:errormsg}',
  ].join(''),
  HTTPD24_ERRORLOG: [
    String.raw`\[%{HTTPDERROR_DATE:timestamp}\] \[%{WORD:module}:%{LOGLEVEL:loglevel}\] `,
    String.raw`\[pid %{POSINT:pid}(?::tid %{NUMBER:tid})?\]`,
    String.raw`(?: \(%{POSINT:proxy_errorcode}\)%{DATA:proxy_errormessage}:)?`,
    `(?: ${client('%{IPORHOST:client}:%{INT:clientport}')})?`,
    ' %{DATA:errorcode}: %{GREEDYDATA:message}',
  ].join(''),
  HTTPD_ERRORLOG: '%{HTTPD20_ERRORLOG}|%{HTTPD24_ERRORLOG}',
};

export const nginx: GrokTable = {
  NGUSERNAME: '[A-Za-z.@+_%-]+',
  NGUSER: '%{NGUSERNAME}',
  NOTDQUOTE: '[^"]*',
  DAY2: String.raw`\d\d`,
  NGINXERRTIME: '%{YEAR}/%{MONTHNUM2}/%{DAY2} %{TIME}',
  NGINXACCESS: [
    '%{IPORHOST:remote_addr} - %{NGUSER:remote_user}',
    String.raw`\[%{HTTPDATE:time_local}\]`,
    '"%{WORD:method} %{URIPATHPARAM:request} HTTP/%{NUMBER:http_version}"',
    '%{NUMBER:status} %{NUMBER:body_bytes_sent}',
    '"%{NOTDQUOTE:http_referer}" "%{NOTDQUOTE:http_user_agent}"',
  ].join(' '),
  NGINXERROR: [
    String.raw`%{NGINXERRTIME:time} \[%{LOGLEVEL:loglevel}\] %{NONNEGINT:pid}#%{NONNEGINT:tid}: `,
    String.raw`(?:\*%{NONNEGINT:cid} )?%{GREEDYDATA:message}`,
  ].join(''),
};

/** Counts of connections, the timers before them and who served: the same in both formats of HAProxy. */
const haproxyOrigin = [
  String.raw`%{IP:client_ip}:%{INT:client_port} \[%{HAPROXYDATE:accept_date}\]`,
  '%{NOTSPACE:frontend_name} %{NOTSPACE:backend_name}/%{NOTSPACE:server_name}',
].join(' ');
const haproxyCounts = [
  '%{NOTSPACE:termination_state}',
  '%{INT:actconn}/%{INT:feconn}/%{INT:beconn}/%{INT:srvconn}/%{NOTSPACE:retries}',
  '%{INT:srv_queue}/%{INT:backend_queue}',
].join(' ');
const haproxySyslog =
  '(?:%{SYSLOGTIMESTAMP:syslog_timestamp}|%{TIMESTAMP_ISO8601:timestamp8601}) %{IPORHOST:syslog_server} %{SYSLOGPROG}:';
const haproxyTarget = [
  '(?:%{URIPROTO:http_proto}://)?',
  '(?:%{USER:http_user}(?::[^@]*)?@)?',
  '%{URIHOST:http_host}?%{URIPATHPARAM:http_request}?',
].join('');

export const haproxy: GrokTable = {
  HAPROXYTIME: '%{HOUR:haproxy_hour}:%{MINUTE:haproxy_minute}:%{SECOND:haproxy_second}',
  // The dot before the milliseconds is any character.
  HAPROXYDATE: [
    '%{MONTHDAY:haproxy_monthday}/%{MONTH:haproxy_month}/%{YEAR:haproxy_year}',
    '%{HAPROXYTIME:haproxy_time}.%{INT:haproxy_milliseconds}',
  ].join(':'),
  HAPROXYCAPTUREDREQUESTHEADERS: '%{DATA:captured_request_headers}',
  HAPROXYCAPTUREDRESPONSEHEADERS: '%{DATA:captured_response_headers}',
  HAPROXYHTTPBASE: [
    haproxyOrigin,
    '%{INT:time_request}/%{INT:time_queue}/%{INT:time_backend_connect}/%{INT:time_backend_response}/%{NOTSPACE:time_duration}',
    '%{INT:http_status_code} %{NOTSPACE:bytes_read}',
    '%{DATA:captured_request_cookie} %{DATA:captured_response_cookie}',
    haproxyCounts,
    [
      String.raw`(?:\{%{HAPROXYCAPTUREDREQUESTHEADERS}\})? ?(?:\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\})? ?`,
      `"(?:<BADREQ>|%{WORD:http_verb} ${haproxyTarget}(?: HTTP/%{NUMBER:http_version})?)?"`,
    ].join(''),
  ].join(' '),
  HAPROXYHTTP: `${haproxySyslog} %{HAPROXYHTTPBASE}`,
  HAPROXYTCP: [
    haproxySyslog,
    haproxyOrigin,
    '%{INT:time_queue}/%{INT:time_backend_connect}/%{NOTSPACE:time_duration} %{NOTSPACE:bytes_read}',
    haproxyCounts,
  ].join(' '),
};

/** `%{INT:x:int}` is no reference in CrowdSec: such text stands for itself, so that no line of Amazon's matches. */
const typedOrDash = (field: string): string => `(?:%{INT:${field}:int}|-)`;

export const amazon: GrokTable = {
  S3_REQUEST_LINE: requestLine('%{NOTSPACE:request}'),
  S3_ACCESS_LOG: [
    '%{WORD:owner} %{NOTSPACE:bucket}',
    String.raw`\[%{HTTPDATE:timestamp}\]`,
    '%{IP:clientip} %{NOTSPACE:requester} %{NOTSPACE:request_id} %{NOTSPACE:operation} %{NOTSPACE:key}',
    '(?:"%{S3_REQUEST_LINE}"|-)',
    `${typedOrDash('response')} (?:-|%{NOTSPACE:error_code})`,
    ...['bytes', 'object_size', 'request_time_ms', 'turnaround_time_ms'].map(typedOrDash),
    '(?:%{QS:referrer}|-) (?:"?%{QS:agent}"?|-) (?:-|%{NOTSPACE:version_id})',
  ].join(' '),
  ELB_URIPATHPARAM: '%{URIPATH:path}%{URIPARAM:params}?',
  ELB_URI: '%{URIPROTO:proto}://(?:%{USER}(?::[^@]*)?@)?%{URIHOST:urihost}?%{ELB_URIPATHPARAM}?',
  ELB_REQUEST_LINE: requestLine('%{ELB_URI:request}'),
  ELB_ACCESS_LOG: [
    '%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:elb} %{IP:clientip}:%{INT:clientport:int}',
    `(?:${oneOf('%{IP:backendip}:?:%{INT:backendport:int}', '-')})`,
    ...['request', 'backend', 'response'].map((what) => `%{NUMBER:${what}_processing_time:float}`),
    ...['response', 'backend_response', 'received_bytes', 'bytes'].map((field) => `%{INT:${field}:int}`),
    '"%{ELB_REQUEST_LINE}"',
  ].join(' '),
};
