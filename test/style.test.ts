import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The number of offences that are still allowed for each rule. It may only go down. Other rules allow none. */
const LEFT: Readonly<Record<string, number>> = { 'code lines': 63, strewn: 5, receipt: 12, whatever: 2 };

/** Words that CONTRIBUTING.md rules out, each with its replacement. Titles, comments, messages and docs are checked alike. */
const BANNED: readonly (readonly [name: string, words: RegExp, replacement: string])[] = [
  ['anew', /\b(anew|afresh)\b/i, 'again'],
  ['heed', /\bheed(s|ed|ing)?\b/i, 'respect, obey, check'],
  ['mend', /\bmend(s|ed|ing)?\b/i, 'fix, repair'],
  ['lest', /\blest\b/i, 'so that … not'],
  [
    'archaic',
    /\b(thereby|whereby|wherein|thereof|therein|whence|thence|hitherto|henceforth|forthwith)\b/i,
    'plain words',
  ],
  ['upon', /\bupon\b/i, 'on'],
  ['amiss', /\b(amiss|naught|aught)\b/i, 'wrong, nothing'],
  ['strewn', /\bstrewn\b/i, 'concurrent writers'],
  ['stray', /\bstrays?\b/i, 'orphan files'],
  ['bury', /\b(bury|buries|buried|burying)\b/i, 'tombstone'],
  ['survey', /\bsurveys?\b/i, 'reconciliation scan'],
  ['receipt', /\breceipts?\b/i, 'fencing token'],
  ['presence', /\bpresence\b/i, 'process registry, heartbeat'],
  ['hand back', /\bhand(s|ed|ing)? back\b/i, 'requeue, return'],
  ['pass over', /\bpass(es|ed|ing)? over\b/i, 'skip'],
  ['left behind', /\bleft behind\b/i, 'unresponsive'],
  ['make room', /\b(make|makes|made|making) room\b/i, 'evict the oldest'],
  ['whoever', /\b(whoever|whomever|whosoever)\b/i, 'the client, anyone who'],
  ['is told', /\b(is|are|was|were|be|been|being|gets|get) told\b/i, 'receives, is notified, is reported'],
  ['tells of', /\b(tell|tells|told|telling) (of|from|apart)\b/i, 'reports, computed from, distinguished'],
  ['hears of', /\b(hear|hears|heard|hearing) of\b/i, 'learns, receives'],
  ['look again', /\blook(s|ed|ing)? (again|once more)\b/i, 'read again, retry'],
  ['for want of', /\bfor want of\b/i, 'without, because there is no'],
  ['so long', /\b(for so long|so long as|so many as)\b/i, 'a number with its unit, while'],
  ['all the same', /\b(all the same|by now|at a stretch)\b/i, 'still, already, without a pause'],
  ['come again', /\b(come|comes|came|coming) again\b/i, 'retry'],
  ['without a word', /\b(without a word)\b/i, 'without a report'],
  ['told', /\b(told|untold)\b/i, 'notified, published, returned, received'],
  ['hear', /\b(hear|hears|heard|hearing)\b/i, 'receive, notice'],
  ['those that', /\b(those|one|ones) (that|who|which)\b/i, 'the noun: the upload, the request'],
  ['whatever', /\b(whatever|wherever|however many)\b/i, 'any, every'],
  ['bear', /\b(bear|bears|bore|borne)\b/i, 'have, carry'],
  ['news', /\bnews\b/i, 'change, update'],
  ['ours', /\b(ours|theirs)\b/i, 'of this service'],
  ['for good', /\bfor good\b/i, 'for ever, permanently'],
  ['speak of', /\b(speak|speaks|spoke|spoken|speaking) (of|about)\b/i, 'name, describe'],
  ['in hand', /\b(in hand|at hand)\b/i, 'in progress, available'],
  ['go by', /\b(go|goes|went|gone) by\b/i, 'follow, pass'],
  ['look after', /\blook(s|ed|ing)? after\b/i, 'handle, process'],
  ['take up', /\b(take|takes|took|taken) up\b/i, 'start, continue'],
  ['once more', /\bonce more\b/i, 'again'],
  ['in vain', /\bin vain\b/i, 'without success'],
];

/** Names with a capital, with which a title may begin. */
const PROPER_NAMES =
  /^(Redis|Valkey|Koa|Node|Uppy|Ctrl|Chromium|Prettier|Sentinel|Prometheus|Kubernetes|Amazon|Excel|Ed25519|Retry|Basic|Bearer|Origin|Host|Expect|Range|Latin|Unicode|Deno|React|Chinese|English|Docker|Linux|Last|Error|Registry|Executor|Map|Set)\b/;

const LINE_LIMIT = 120;

/** The style guide allows 25 words. Lists of figures may be a little longer. */
const WORD_LIMIT = 30;

interface TextFile {
  path: string;
  lines: readonly string[];
}

function walk(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/node_modules|(^|\/)(fixtures|\.cache|dist)\//.test(path) && path !== 'test/style.test.ts');
}

function read(path: string): TextFile {
  return { path, lines: readFileSync(path, 'utf8').split('\n') };
}

const code = ['src', 'workers', 'scripts', 'test'].flatMap((folder) => walk(folder, /\.(ts|mjs|lua|css)$/)).map(read);
const documents = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...['docs', 'scripts'].flatMap((folder) => walk(folder, /\.md$/)),
].map(read);

/** Fails with a list of the offences if there are more than `LEFT` allows. */
function expectAtMost(rule: string, found: readonly string[]): void {
  const most = LEFT[rule] ?? 0;
  if (found.length > most) expect(found).toEqual([`at most ${most} of "${rule}" in the whole tree`]);
}

/** Returns the lines of a markdown file that can be wrapped: not tables, code blocks and lines with only a link. */
function breakable({ path, lines }: TextFile): { path: string; line: string; number: number }[] {
  let isCode = false;
  return lines.flatMap((line, index) => {
    if (/^\s*```/.test(line)) isCode = !isCode;
    const isWhole = isCode || /^\s*\|/.test(line) || /^\s*(- )?!?\[[^\]]*\]\([^)]*\)\S?$/.test(line);
    return isWhole ? [] : [{ path, line, number: index + 1 }];
  });
}

/** Returns a file as one line without comment signs, and a function that finds the line number of a place in it. */
function flatten({ lines }: TextFile): { text: string; lineAt: (place: number) => number } {
  const parts = lines.map((line) => line.replace(/^\s*(\/\*\*?|\*\/?|\/\/|--+|>)\s?/, '').trim());
  const lineAt = (place: number) => {
    let end = 0;
    return parts.findIndex((part) => (end += part.length + 1) > place) + 1;
  };
  return { text: parts.join(' '), lineAt };
}

/** `CONTRIBUTING.md` lists the words that are ruled out. */
const flat = [...code, ...documents.filter(({ path }) => path !== 'CONTRIBUTING.md')].map((file) => ({
  path: file.path,
  ...flatten(file),
}));

/** Returns each match of `words` as `path:line: words`. */
function occurrences(words: RegExp): string[] {
  const all = new RegExp(words.source, 'gi');
  return flat.flatMap(({ path, text, lineAt }) =>
    [...text.matchAll(all)].map((match) => `${path}:${lineAt(match.index)}: ${match[0]}`),
  );
}

/** Words that no name may contain, such as `toldId` or `HEAR_MS`. They are those of `BANNED` that are one word. */
const BANNED_IN_NAMES =
  /^(told|tells?|telling|untold|hears?|heard|hearing|presence|receipts?|strewn|strays?|anew|bury|buried|surveys?|heeds?|lest|whence|amiss)$/;

const NAME = /\b(?:[a-z]+(?:[A-Z][a-z0-9]*)+|(?:[A-Z][a-z0-9]+){2,}|[A-Z0-9]+(?:_[A-Z0-9]+)+)\b/g;

/** Returns the names in a line that contain a word that is ruled out. */
function bannedNames(line: string): string[] {
  return [...line.matchAll(NAME)]
    .map(([name]) => name)
    .filter((name) =>
      name
        .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
        .split('_')
        .some((word) => BANNED_IN_NAMES.test(word.toLowerCase())),
    );
}

const TITLE =
  /\b(?:test|it)(?:\.(?:each|skip|only|failing)\b(?:\([^)]*\))?)*\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g;

const LOG_MESSAGE = /\blog(?:ger)?\.(?:info|warn|error|fatal)\((?:[^()]|\([^()]*\))*?'([^'\n]+)',?\s*\)/g;

/** A log message is a short phrase to search for; details are in its fields. */
const LOG_WORD_LIMIT = 10;

/** Returns every title of a test, with its place. */
function titles(): { title: string; place: string }[] {
  return code
    .filter(({ path }) => path.startsWith('test/'))
    .flatMap(({ path, lines }) =>
      [...lines.join('\n').matchAll(TITLE)].map((match) => ({
        title: match[1] ?? match[2] ?? match[3] ?? '',
        place: path,
      })),
    );
}

/**
 * Returns true if a title begins with a lower-case letter, a placeholder, or a word that is code or a name: `PUT`,
 * `a.b`, `Redis`.
 */
function startsRight(title: string): boolean {
  const [word = ''] = title.split(' ');
  return (
    !/^[A-Z]/.test(word) || /^.[A-Z0-9_.()/:-]/.test(word) || /^.\w*[A-Z0-9_.(/]/.test(word) || PROPER_NAMES.test(word)
  );
}

/** Returns the sentences of a markdown file outside of tables and code, without the targets of links. */
function sentences({ path, lines }: TextFile): { path: string; sentence: string }[] {
  let isCode = false;
  const kept = lines.map((line) => {
    if (/^\s*```/.test(line)) isCode = !isCode;
    return isCode || /^\s*(```|[|#<])/.test(line) ? '' : line.replace(/^\s*([-*]|\d+\.)\s/, '\n');
  });
  return kept
    .join('\n')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/`[^`]*`/g, 'Code')
    .split(/\n\s*\n|(?<=[.!?:;][*)]*)\s+(?=[A-Z*([])/)
    .map((sentence) => ({ path, sentence: sentence.replace(/\s+/g, ' ').trim() }));
}

/** Returns the anchors of the headings of a markdown file, as GitHub makes them. */
function anchorsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

/** Returns the links of the documents that lead to no file or no heading. */
function deadLinks(): string[] {
  return documents.flatMap(({ path, lines }) =>
    [...lines.join('\n').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].flatMap(([, file = '', anchor]) => {
      const target = file === '' ? path : join(dirname(path), file);
      const isFound = existsSync(target) && (anchor === undefined || anchorsOf(target).includes(anchor));
      return isFound ? [] : [`${path}: ${file}#${anchor ?? ''}`];
    }),
  );
}

/** Returns the paths that documents name in code marks and that do not exist. */
function deadPaths(): string[] {
  return documents
    .filter(({ path }) => path !== 'CHANGELOG.md')
    .flatMap(({ path, lines }) =>
      [...lines.join('\n').matchAll(/`((?:src|workers|scripts|test|docs)\/[\w./-]*)`/g)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(target))
        .map((target) => `${path}: ${target}`),
    );
}

/** Returns the npm commands that documents name and that `package.json` does not have. */
function deadCommands(): string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  return documents.flatMap(({ path, lines }) =>
    [...lines.join('\n').matchAll(/npm run (?:-s )?([a-z][\w:]*)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !(name in scripts))
      .map((name) => `${path}: npm run ${name}`),
  );
}

describe('plain English', () => {
  test('keeps every line of code within 120 characters', () => {
    const found = code.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) => (line.length > LINE_LIMIT ? [`${path}:${index + 1}`] : [])),
    );
    expectAtMost('code lines', found);
  });

  test('keeps every line of prose within 120 characters', () => {
    const found = documents
      .flatMap(breakable)
      .flatMap(({ path, line, number }) => (line.length > LINE_LIMIT ? [`${path}:${number}`] : []));
    expectAtMost('prose lines', found);
  });

  test.each(BANNED)('does without "%s"', (name, words, replacement) => {
    expectAtMost(
      name,
      occurrences(words).map((found) => `${found} (write: ${replacement})`),
    );
  });

  test('uses words that are not ruled out in names', () => {
    expect(bannedNames('const toldId = HEAR_MS + notToldYet(heading);')).toEqual(['toldId', 'HEAR_MS', 'notToldYet']);
    expectAtMost(
      'names',
      code.flatMap(({ path, lines }) =>
        lines.flatMap((line, index) => bannedNames(line).map((name) => `${path}:${index + 1}: ${name}`)),
      ),
    );
  });

  test('starts test titles with a lower-case letter or a code word', () => {
    expect(titles().length).toBeGreaterThan(1000);
    expectAtMost(
      'title start',
      titles().flatMap(({ title, place }) => (startsRight(title) ? [] : [`${place}: ${title}`])),
    );
  });

  test('keeps log messages short and without a full stop', () => {
    const messages = code
      .filter(({ path }) => /^(src|workers)\//.test(path))
      .flatMap(({ path, lines }) =>
        [...lines.join('\n').matchAll(LOG_MESSAGE)].map(([, message = '']) => ({ path, message })),
      );
    expect(messages.length).toBeGreaterThan(50);
    expectAtMost(
      'log messages',
      messages
        .filter(({ message }) => message.split(' ').length > LOG_WORD_LIMIT || message.endsWith('.'))
        .map(({ path, message }) => `${path}: ${message}`),
    );
  });

  test('ends no test title with a full stop', () => {
    expectAtMost(
      'title end',
      titles().flatMap(({ title, place }) => (/[^.]\.$/.test(title) ? [`${place}: ${title}`] : [])),
    );
  });
});

describe('the docs', () => {
  test('keep sentences short', () => {
    const long = documents
      .flatMap(sentences)
      .filter(({ sentence }) => sentence.split(' ').filter((word) => /\w/.test(word)).length > WORD_LIMIT);
    expectAtMost(
      'long sentences',
      long.map(({ path, sentence }) => `${path}: ${sentence}`),
    );
  });

  test('link only to files and headings that exist', () => {
    expect(deadLinks()).toEqual([]);
  });

  test('name only files and folders that exist', () => {
    expect(deadPaths()).toEqual([]);
  });

  test('name only commands of npm that exist', () => {
    expect(deadCommands()).toEqual([]);
  });

  test('sort the glossary', () => {
    const terms = [...readFileSync('docs/glossary.md', 'utf8').matchAll(/^\| (?!---|term )(.*?) \|/gm)].map(
      ([, term = '']) => term.toLowerCase(),
    );
    expect(terms.length).toBeGreaterThan(50);
    expect(terms).toEqual([...terms].sort());
  });
});
