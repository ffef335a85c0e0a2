/** Values as rules see them: parts of the requests of the Core Rule Set's tests, and samples of injections. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFtwFile } from '../../../../detectors/waf/ftw/read-ftw-file.ts';
import { findTransformation } from '../../../../detectors/waf/transformations/find-transformation.ts';

/** Longer values are left out: they are for the tests of pumped texts. */
const longest = 4_096;

/** Distinct values of requests, raw and decoded. */
export function valuesOfTests(folder: string): readonly string[] {
  const decode = findTransformation('urlDecodeUni')?.apply ?? String;
  const values = new Set<string>(['']);
  const add = (value: string): void => {
    if (value.length <= longest && !/[^\x00-\xff]/.test(value)) values.add(value).add(decode(value));
  };
  for (const file of globSync('*/*.yaml', { cwd: folder })) {
    for (const { stages } of readFtwFile(readFileSync(join(folder, file), 'latin1'), file).tests) {
      for (const { input } of stages) {
        const written = [input.uri, input.data ?? '', ...input.headers.map(([, value]) => value)];
        for (const text of written) {
          add(text);
          for (const part of text.split(/[?&;=]/)) add(part);
        }
      }
    }
  }
  return [...values];
}

/** Lines of the sample files. */
export function valuesOfSamples(folder: string): readonly string[] {
  const files = globSync('*.txt', { cwd: folder });
  return [...new Set(files.flatMap((file) => readFileSync(join(folder, file), 'latin1').split('\n')))].filter(
    (line) => line.length <= longest,
  );
}
