/** The rules of docs/architecture.md that can be read off the sources: who imports whom, and how files are made. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import t from 'tap';

const root = join(import.meta.dirname, '..');

/** A floor may import itself and the floors after it. */
const floors = ['cli', 'gateway', 'captcha-pages', 'remediation', 'detectors', 'config', 'core'];
const outside = ['console', 'bench', 'test', 'bin'];

/** Inside detectors/: folders, and files that stand beside them. A room may import itself and the rooms of later rows. */
const detectorRooms = [
  ['hubtest', 'setup'],
  ['engine', 'waf'],
  ['parsers', 'scenarios', 'acquisition', 'hub'],
  ['documents', 'grok', 'lookups'],
  ['expr'],
  ['regex'],
  ['event.ts', 'alert.ts', 'options.ts'],
];

/** The same inside remediation/. */
const remediationRooms = [
  ['lapi', 'notify'],
  ['decider'],
  ['exchange'],
  ['index', 'ledger', 'callers'],
  ['store', 'options.ts'],
  ['allowed'],
  ['decision.ts', 'bouncer.ts', 'machine.ts', 'normal-scope.ts', 'throttle.ts'],
];

/** The same inside remediation/lapi/. */
const lapiRooms = [
  ['client', 'server', 'routes'],
  ['alert-intake.ts', 'allowlist-lookup.ts', 'feeds'],
  ['models', 'replies.ts'],
  ['lapi-context.ts', 'options.ts'],
];

/** The same inside detectors/waf/. */
const wafRooms = [
  ['ftw', 'appsec-tests'],
  ['appsec', 'exceptions', 'core-rules'],
  ['waf-record.ts'],
  ['engine'],
  ['bodies', 'operators'],
  ['text', 'injection', 'transformations', 'seclang'],
  ['variable-names.ts', 'options.ts'],
];

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Project paths of what it imports, and bare names of packages. */
  readonly imports: readonly string[];
}

const files = [...floors, ...outside].filter((folder) => existsSync(join(root, folder))).flatMap(filesOf);
const sources = files.filter((path) => /\.[cm]?[jt]sx?$/.test(path)).map(sourceFile);

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
    .filter((path) => !path.includes('node_modules/') && statSync(join(root, path)).isFile());
}

function sourceFile(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const specifiers = importsOf(text);
  const imports = specifiers.map((name) => (name.startsWith('.') ? posix.join(posix.dirname(path), name) : name));
  return { path, text, imports };
}

/** Static imports, re-exports, dynamic imports and the `new URL(…, import.meta.url)` of workers. */
function importsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const patterns = [
    /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"\n]+)['"]/gm,
    /^\s*import\s*['"]([^'"\n]+)['"]/gm,
    /\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g,
    /\bnew URL\(\s*['"](\.[^'"\n]+\.ts)['"]\s*,\s*import\.meta\.url\s*\)/g,
  ];
  return patterns.flatMap((pattern) => Array.from(code.matchAll(pattern), ([, name]) => name ?? ''));
}

function folderOf(path: string): string {
  return path.split('/', 1)[0] ?? '';
}

t.test('the reader of imports sees every way to import', async (t) => {
  const text = [
    "import a from './a.ts';",
    "import {\n  b,\n  type B,\n} from './b.ts';",
    "export { c } from './c.ts';",
    "export * from './d.ts';",
    "import './e.ts';",
    "const f = await import('./f.ts');",
    "new Worker(new URL('./g.ts', import.meta.url));",
    "// import h from './h.ts';",
    "/* import i from './i.ts'; */",
    "import type { J } from './j.ts';",
  ].join('\n');
  t.same(
    importsOf(text).toSorted(),
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'j'].map((name) => `./${name}.ts`),
  );
});

t.test('imports go one way', async (t) => {
  t.ok(sources.length > 20, 'the sources were found');
  let checked = 0;
  for (const { path, imports } of sources) {
    const floor = floors.indexOf(folderOf(path));
    if (floor === -1) continue;
    const allowed = floors.slice(floor);
    for (const target of imports.filter((name) => name.includes('/') && name.includes('.ts'))) {
      checked++;
      if (!allowed.includes(folderOf(target))) t.fail(`${path} imports ${target}`);
    }
  }
  t.ok(checked > 50, `${checked} imports go from a floor to itself or one below`);
});

for (const [house, rows] of [
  ['detectors', detectorRooms],
  ['detectors/waf', wafRooms],
  ['remediation', remediationRooms],
  ['remediation/lapi', lapiRooms],
] as const) {
  t.test(`inside ${house}/, too, imports go one way`, async (t) => {
    const isInside = (path: string): boolean => path.startsWith(`${house}/`);
    const roomOf = (path: string): string => path.slice(house.length + 1).split('/', 1)[0] ?? '';
    const rowOf = (path: string): number => rows.findIndex((row) => row.includes(roomOf(path)));
    const own = sources.filter(({ path }) => isInside(path));
    const found = new Set(own.map(({ path }) => roomOf(path)));
    t.strictSame(rows.flat().toSorted(), [...found].toSorted(), 'every room has its place');
    let checked = 0;
    for (const { path, imports } of own) {
      for (const target of imports.filter((name) => isInside(name) && roomOf(name) !== roomOf(path))) {
        checked++;
        if (rowOf(target) <= rowOf(path)) t.fail(`${path} imports ${target}`);
      }
    }
    t.ok(checked > 30, `${checked} imports go from a room to one below`);
  });
}

t.test('every file of cli/commands is a verb, and every verb is listed', async (t) => {
  const list = sources.find(({ path }) => path === 'cli/commands.ts');
  const verbs = sources.filter(({ path }) => path.startsWith('cli/commands/'));
  t.ok(verbs.length > 20);
  for (const { path, text } of verbs) {
    t.match(text, /^export const \w+: Command = \{$/m, path);
    t.ok(list?.imports.includes(path), `${path} is in commands.ts`);
  }
});

t.test('nobody imports tests or measurements, and the console stands alone', async (t) => {
  for (const { path, imports } of sources) {
    const own = imports.filter((name) => name.includes('.ts') || name.includes('.js'));
    const from = folderOf(path);
    if (from === 'test') continue;
    const forbidden = own.filter((name) => ['test', 'bench'].includes(folderOf(name)) && folderOf(name) !== from);
    if (from === 'bench') {
      // Measurements share the origins that the tests start; production code is what must stay clean.
      t.same(
        forbidden.filter((name) => !name.startsWith('test/support/')),
        [],
        path,
      );
    } else if (forbidden.length > 0) t.fail(`${path} imports ${forbidden.join(', ')}`);
    if (from === 'console')
      t.same(
        own.filter((name) => folderOf(name) !== 'console'),
        [],
        path,
      );
  }
  t.pass('all read');
});

t.test('packages that are imported are declared, and production code imports none of the tools', async (t) => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const dependencies = Object.keys(manifest.dependencies ?? {});
  const tools = Object.keys(manifest.devDependencies ?? {});
  for (const { path, imports } of sources) {
    for (const name of imports.filter(
      (each) => !each.includes('.ts') && !each.startsWith('node:') && !each.endsWith('.js'),
    )) {
      const known = floors.includes(folderOf(path)) ? dependencies : [...dependencies, ...tools];
      const packageName = name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/');
      if (!known.includes(packageName)) t.fail(`${path} imports ${name}`);
    }
  }
  t.pass('all read');
});

t.test('only the entry is JavaScript', async (t) => {
  const scripts = files.filter((path) => /\.[cm]?jsx?$/.test(path) && !path.includes('/fixtures/'));
  t.same(scripts, ['bin/portcullis.js']);
});

t.test('no default exports but the one that tap asks for, and no barrels', async (t) => {
  const withDefault = sources.filter(({ text }) => /^export\s+(?:default\b|\{[^}]*\bas default\b)/m.test(text));
  t.same(
    withDefault.map(({ path }) => path),
    ['test/support/reporter.ts'],
  );
  for (const { path, text } of sources.filter(({ path }) => path.endsWith('/index.ts'))) {
    t.notMatch(text, /^export\s+(?:\*|(?:type\s+)?\{[^}]*\})\s+from\b/m, `${path} is a list of modules, not a barrel`);
  }
});

t.test('files are named in kebab case and start by saying what they are for', async (t) => {
  const typescript = sources.filter(({ path }) => path.endsWith('.ts'));
  for (const { path, text } of typescript) {
    const name = path.split('/').at(-1) ?? '';
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.ts$/.test(name)) t.fail(`${path}: not in kebab case`);
    // The names of its tests say what a test file is for.
    const speaks = path.endsWith('.test.ts') || /^(?:#![^\n]*\n)?\/\*\*/.test(text);
    if (!speaks) t.fail(`${path}: no header comment`);
  }
  t.ok(typescript.length > 20, `${typescript.length} files read`);
});

t.test('a file above 400 lines says in its header why it is one file', async (t) => {
  for (const { path, text } of sources) {
    const lines = text.split('\n').length - 1;
    if (lines <= 400 || path.endsWith('.test.ts')) continue;
    const header = text.slice(0, text.indexOf('*/'));
    t.match(
      header,
      /\b(?:one file|one piece|long|longer)\b/i,
      `${path} has ${lines} lines: split it, or say in the header why it is one file`,
    );
  }
  t.pass('all read');
});

t.test('time and chance are arguments: only two files touch the real ones', async (t) => {
  const real = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|(?<![.\w])set(?:Timeout|Interval)\(/;
  const users = sources.filter(({ path, text }) => floors.includes(folderOf(path)) && real.test(text));
  t.same(
    users.map(({ path }) => path),
    ['core/clock.ts', 'core/random.ts'],
  );
});
