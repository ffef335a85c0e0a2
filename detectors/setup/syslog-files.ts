/**
 * Where lines of a syslog facility end up: in a file that a syslog daemon writes, or else in the journal. A line must be read
 * once only, so a file is left out whose facility the general one holds as well (Debian's `/var/log/syslog` has mail too).
 * Specification: rsyslog.conf(5), syslog.conf(5) for selectors.
 */
import type { Facility } from './known-service.ts';
import type { Machine } from './machine.ts';
import type { RootFiles } from './root-files.ts';

/** The file of each facility as distributions name it: Debian's, Red Hat's. */
const usualFiles: Readonly<Record<Facility, readonly string[]>> = {
  auth: ['/var/log/auth.log', '/var/log/secure'],
  mail: ['/var/log/mail.log', '/var/log/maillog'],
  kern: ['/var/log/kern.log'],
  daemon: ['/var/log/daemon.log'],
  local0: [],
};
const generalFiles = ['/var/log/syslog', '/var/log/messages'];
const rules = ['/etc/rsyslog.conf', '/etc/rsyslog.d/*.conf', '/etc/syslog.conf'];

/** What the general file does not hold when no rule says so: Debian's is without auth, Red Hat's without auth and mail. */
const absentByDefault: Readonly<Record<string, readonly Facility[]>> = {
  '/var/log/syslog': ['auth'],
  '/var/log/messages': ['auth', 'mail'],
};

/** The file that holds lines of this facility, or null: then the journal has them, if anything has. */
export function syslogFile(machine: Machine, facility: Facility, own: readonly string[] = []): string | null {
  const { files } = machine;
  // Files that nobody writes any more are left over from a daemon that is gone.
  if (machine.journal && !machine.syslog) return null;
  const special = own.find((path) => files.exists(path));
  if (special !== undefined) return special;
  const general = generalFiles.find((path) => files.exists(path));
  if (general !== undefined && holds(files, general, facility)) return general;
  return usualFiles[facility].find((path) => files.exists(path)) ?? null;
}

/** Whether a rule of the syslog daemon writes the facility into the file. */
function holds(files: RootFiles, path: string, facility: Facility): boolean {
  const selectors = rules
    .flatMap((pattern) => files.glob(pattern))
    .flatMap((file) => selectorsFor(files.text(file) ?? '', path));
  if (selectors.length === 0) return !(absentByDefault[path] ?? []).includes(facility);
  return selectors.some((selector) => selects(selector, facility));
}

/** The selectors of all rules whose action is this file, which may have a `-` before it. */
function selectorsFor(text: string, path: string): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .flatMap((line) => {
      const [, selector = '', action = ''] = /^\s*([^#$\s:][^\s]*)\s+-?(\/\S+)/.exec(line) ?? [];
      return action === path ? [selector] : [];
    });
}

/** `*.*;auth,authpriv.none`: the last part that names the facility decides. */
function selects(selector: string, facility: Facility): boolean {
  const names = facility === 'auth' ? ['auth', 'authpriv'] : [facility];
  let selected = false;
  for (const part of selector.split(';')) {
    const dot = part.lastIndexOf('.');
    const facilities = part.slice(0, dot).split(',');
    if (facilities.includes('*') || names.some((name) => facilities.includes(name))) {
      selected = part.slice(dot + 1) !== 'none';
    }
  }
  return selected;
}
