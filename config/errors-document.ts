/** `docs/errors.md`, made from the registry of codes. */
import { errorCodes, exitStatus } from '../core/errors.ts';

const statusMeanings: Readonly<Record<keyof typeof exitStatus, string>> = {
  ok: 'Done.',
  failed: 'The command ran and its answer is no, or it failed in a way that its message says.',
  usage: 'The command line was not understood.',
  unavailable: 'Something it needs is not there: the right Node, a running gateway.',
  internal: 'A fault of Portcullis itself.',
  settings: 'The settings have mistakes; all of them are listed.',
};

export function renderErrors(): string {
  const codes = Object.entries(errorCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  const statuses = Object.entries(statusMeanings).map(
    ([name, meaning]) => `| ${exitStatus[name as keyof typeof exitStatus]} | ${meaning} |`,
  );
  return `# Errors

This page is made from \`core/errors.ts\` by \`npm run generate\`; do not edit it.

A code stands in every message and log line about an error that a person should read. It is never used again for something
else, so that it can be searched for and alerted on.

| code | meaning |
|---|---|
${codes.join('\n')}

## Exit statuses

| status | meaning |
|---|---|
${statuses.join('\n')}
`;
}
