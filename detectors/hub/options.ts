/** The settings of the hub: where items come from. */
import * as z from 'zod';
import { duration, textOption } from '../../core/options.ts';

/** Where CrowdSec's own hub is; `{branch}` stands for the setting `hub.branch`. */
export const publicHub = 'https://cdn-hub.crowdsec.net/crowdsecurity/{branch}';

const expectedSource = 'an address such as https://hub.example/{branch}, or the path of a folder';

/** What is wrong with the text of a source, or null. */
export function sourceProblem(text: string): string | null {
  if (text === '' || text.includes('\0')) return `expected ${expectedSource}`;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return null;
  if (!/^https?:\/\//i.test(text)) return 'a hub is reached by https:// or http://, or it is a folder';
  const url = URL.parse(text.replaceAll('{branch}', 'branch'));
  if (url === null) return `expected ${expectedSource}`;
  // The text is repeated in messages and kept beside the index.
  if (url.username !== '' || url.password !== '') return 'the address of a hub holds no user name and no password';
  return url.search !== '' || url.hash !== '' ? 'the address of a hub has no query' : null;
}

const source = () =>
  textOption<string>({
    title: 'address or folder',
    expected: expectedSource,
    pattern: String.raw`^[^\0]+$`,
    example: 'https://hub.example/{branch}',
    read(text) {
      const problem = sourceProblem(text);
      return problem === null ? { value: text } : { problem };
    },
  });

export const hubOptions = z
  .strictObject({
    source: source()
      .prefault(publicHub)
      .describe(
        'Where items come from: an address or a folder that holds `.index.json`. `{branch}` stands for `hub.branch`. A relative folder starts from where the command is called.',
      ),
    branch: z
      .string()
      .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, { error: 'expected a branch such as master or v1.7.0' })
      .prefault('master')
      .describe('`master` for the latest items, or the version of CrowdSec whose items are wanted.'),
    dataSource: source()
      .nullable()
      .prefault(null)
      .describe(
        'A mirror of `https://hub-data.crowdsec.net`, as an address or a folder: for machines that cannot reach it.',
      ),
    timeout: duration({ min: '1s', max: '10m' })
      .prefault('30s')
      .describe('How long a server of the hub may stay silent. Everything else is tried three times as well.'),
  })
  .prefault({})
  .describe('Where `portcullis hub` gets items.');
