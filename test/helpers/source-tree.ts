import { parseSync } from '@swc/core';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A node of swc's syntax tree, of which only type and place are known. */
export interface SyntaxNode {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** One import or re-export. */
export interface ImportOf {
  /** The target as written, or for a relative import the path from the root of the project. */
  readonly target: string;
  readonly isTypeOnly: boolean;
  readonly isReExport: boolean;
}

/** A source file and its syntax. */
export interface SourceFile {
  /** Path from the root of the project, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Top-level statements. */
  readonly body: readonly SyntaxNode[];
  readonly imports: readonly ImportOf[];
  /** The text before a node. */
  before(node: SyntaxNode): string;
  /** The text of a node. */
  textOf(node: SyntaxNode): string;
  /** Returns the number of lines of a node. */
  linesOf(node: SyntaxNode): number;
}

/** Put before every file, because swc continues its byte count from one parse to the next and needs a mark at 0. */
const MARK = '"";';

/** Returns the paths of all files below a folder, in order. */
export function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Parses every TypeScript file below the folders. */
export function readSources(...folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap(filesBelow)
    .filter((path) => path.endsWith('.ts'))
    .map(readSource);
}

function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const bytes = Buffer.from(text);
  const [mark, ...body] = parseSync(MARK + text, { syntax: 'typescript', target: 'es2022' })
    .body as unknown as SyntaxNode[];
  const origin = mark === undefined ? 0 : spanOf(mark).start + MARK.length;
  const textOf = (node: SyntaxNode): string => {
    const { start, end } = spanOf(node);
    return bytes.subarray(start - origin, end - origin).toString();
  };
  return {
    path,
    text,
    body,
    imports: [
      ...body.flatMap((node) => importIn(path, node)),
      ...(/\bimport\s*\(/.test(text) ? lateImportsIn(path, body) : []),
    ],
    before: (node) => bytes.subarray(0, spanOf(node).start - origin).toString(),
    textOf,
    linesOf: (node) => textOf(node).split('\n').length,
  };
}

function spanOf(node: SyntaxNode): { start: number; end: number } {
  return node['span'] as { start: number; end: number };
}

/** The target of an import whose name is computed. */
export const COMPUTED_TARGET = '(computed)';

/** Returns every `import('…')` of a file. */
function lateImportsIn(path: string, body: readonly SyntaxNode[]): ImportOf[] {
  const found: ImportOf[] = [];
  walk(body, (node) => {
    const { callee, arguments: given } = node;
    if (node.type !== 'CallExpression' || !isNode(callee) || callee.type !== 'Import' || !Array.isArray(given)) return;
    const [first] = given as { expression: SyntaxNode }[];
    const name = first?.expression;
    const target = name?.type === 'StringLiteral' ? targetOf(path, String(name['value'])) : COMPUTED_TARGET;
    found.push({ target, isTypeOnly: false, isReExport: false });
  });
  return found;
}

function targetOf(path: string, specifier: string): string {
  return specifier.startsWith('.') ? normalize(join(dirname(path), specifier)) : specifier;
}

function importIn(path: string, node: SyntaxNode): ImportOf[] {
  const source = node['source'];
  if (!isNode(source)) return [];
  const target = targetOf(path, String(source['value']));
  const names = Array.isArray(node['specifiers']) ? (node['specifiers'] as SyntaxNode[]) : [];
  const isTypeOnly =
    node['typeOnly'] === true || (names.length > 0 && names.every((name) => name['isTypeOnly'] === true));
  return [{ target, isTypeOnly, isReExport: node.type !== 'ImportDeclaration' }];
}

/** True if the value has a type and so is a node. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** Visits every node below `value`, parents first. `visit` receives the member of the parent that contains the node. */
export function walk(
  value: unknown,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined, member: string) => void,
): void {
  const go = (part: unknown, parent: SyntaxNode | undefined, member: string): void => {
    if (Array.isArray(part)) {
      for (const item of part) go(item, parent, member);
    } else if (typeof part === 'object' && part !== null) {
      const node = isNode(part) ? part : undefined;
      if (node !== undefined) visit(node, parent, member);
      for (const name in part) {
        const inner = (part as Readonly<Record<string, unknown>>)[name];
        if (typeof inner === 'object' && name !== 'span') go(inner, node ?? parent, name);
      }
    }
  };
  go(value, undefined, '');
}

/** Returns the names that a file uses and does not declare. */
export function freeNames(body: readonly SyntaxNode[]): Set<string> {
  const used = new Set<string>();
  const made = new Set<string>();
  walk(body, (node, parent, member) => {
    if (node.type !== 'Identifier') return;
    const isMade =
      ['id', 'pat', 'param', 'params', 'local', 'left', 'identifier'].includes(member) &&
      parent?.type !== 'AssignmentExpression';
    const isPlainMember = (member === 'property' && parent?.type === 'MemberExpression') || member === 'key';
    if (isMade) made.add(String(node['value']));
    else if (!isPlainMember) used.add(String(node['value']));
  });
  return new Set([...used].filter((name) => !made.has(name)));
}

/** Returns the name of a declaration, or its type if it has no name. */
export function nameOf(node: SyntaxNode): string {
  const { declaration, declarations } = node;
  if (isNode(declaration)) return nameOf(declaration);
  const [first] = Array.isArray(declarations) ? (declarations as unknown[]) : [];
  const named = [node['identifier'], node['id'], node['key'], first].find(isNode);
  if (named === undefined) return node.type;
  return typeof named['value'] === 'string' ? named['value'] : nameOf(named);
}
