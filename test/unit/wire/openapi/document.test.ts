import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ERROR_CODES } from '../../../../src/errors.ts';
import { openApiDocument } from '../../../../src/wire/openapi/document.ts';
import type { Operation, Parameter, Reference } from '../../../../src/wire/openapi/shapes.ts';

const document = openApiDocument();

/** The document in the form in which a client reads it. */
const sent: unknown = JSON.parse(JSON.stringify(document));

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]): [name: string, path: string, operation: Operation] => [
    `${method} ${path}`,
    path,
    operation,
  ]),
);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Returns the value that a `#/…` pointer names, or undefined. */
function resolve(pointer: string): unknown {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return steps.reduce<unknown>((place, step) => (isObject(place) ? place[step] : undefined), sent);
}

function valuesOf(member: string, place: unknown): unknown[] {
  if (!isObject(place)) return [];
  return Object.entries(place).flatMap(([name, value]) => [
    ...(name === member ? [value] : []),
    ...valuesOf(member, value),
  ]);
}

function parametersOf(operation: Operation): Parameter[] {
  return (operation.parameters ?? []).map((parameter: Parameter | Reference) => {
    if (!('$ref' in parameter)) return parameter;
    const shared = Object.entries(document.components.parameters).find(
      ([name]) => parameter.$ref === `#/components/parameters/${name}`,
    );
    if (shared === undefined) throw new Error(`${parameter.$ref} is not there`);
    return shared[1];
  });
}

/** Returns the words in the `code` enums of problem answers. */
function codesIn(place: unknown): unknown[] {
  return valuesOf('code', place).flatMap((code) => (isObject(code) && Array.isArray(code['enum']) ? code['enum'] : []));
}

describe('the OpenAPI document', () => {
  test('is OpenAPI 3.1 and has the version of the package', () => {
    const { version }: { version?: string } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(sent).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'deferred-uploads', version, license: { identifier: 'MIT' } },
    });
    expect(openApiDocument('9.9.9').info.version).toBe('9.9.9');
  });

  test('contains only values that JSON can express', () => {
    expect(sent).toEqual(document);
  });

  test('refers only to components that exist', () => {
    const references = valuesOf('$ref', sent).map(String);
    expect(references.length).toBeGreaterThan(50);
    expect(
      references.filter((reference) => !reference.startsWith('#/components/') || resolve(reference) === undefined),
    ).toEqual([]);
  });

  test('gives no schema a `$id`, which would change where references point', () => {
    expect([...valuesOf('$id', sent), ...valuesOf('$schema', sent)]).toEqual([]);
  });

  test('uses every shared parameter and header', () => {
    const used = new Set(valuesOf('$ref', sent));
    const shared = ['parameters', 'headers'] as const;
    const all = shared.flatMap((kind) =>
      Object.keys(document.components[kind]).map((name) => `#/components/${kind}/${name}`),
    );
    expect(all.filter((reference) => !used.has(reference))).toEqual([]);
  });

  test('names each operation once, under a tag that is described', () => {
    const ids = operations.map(([, , { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = new Set(document.tags.map(({ name }) => name));
    expect(operations.flatMap(([, , operation]) => operation.tags).filter((tag) => !tags.has(tag))).toEqual([]);
  });
});

describe.each(operations)('the operation %s', (name, path, operation) => {
  test('declares each of its parameters once, with a description', () => {
    const declared = parametersOf(operation);
    const inPath = declared.filter((parameter) => parameter.in === 'path');
    expect(inPath.map(({ name }) => name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]));
    expect(inPath.every(({ required }) => required === true)).toBe(true);
    expect(new Set(declared.map((parameter) => `${parameter.in} ${parameter.name.toLowerCase()}`)).size).toBe(
      declared.length,
    );
    expect(declared.every(({ description, schema }) => description !== '' && Object.keys(schema).length > 0)).toBe(
      true,
    );
  });

  test('describes itself and every answer', () => {
    expect([operation.operationId, operation.summary, operation.description]).not.toContain('');
    const statuses = Object.keys(operation.responses);
    expect(statuses.some((status) => /^2\d\d$/.test(status))).toBe(true);
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(status).toMatch(/^[2-5]\d\d$/);
      expect(response.description).not.toBe('');
      expect(Object.keys(response.content ?? {})).toEqual(
        Number(status) >= 400 ? ['application/problem+json'] : expect.anything(),
      );
    }
  });

  test('has bodies only where HTTP allows them', () => {
    const withoutBody = Object.entries(operation.responses).filter(([, { content }]) => content === undefined);
    const isForHead = name.startsWith('head ');
    expect(withoutBody.filter(([status]) => status !== '204' && status !== '304' && !isForHead)).toEqual([]);
    expect(['204', '304'].filter((status) => operation.responses[status]?.content !== undefined)).toEqual([]);
  });

  test('accepts both timeout and Prefer, or neither', () => {
    const names = parametersOf(operation).map(({ name }) => name);
    expect(names.includes('timeout')).toBe(names.includes('Prefer'));
    expect(codesIn(operation.responses['400']).includes('bad_timeout')).toBe(names.includes('timeout'));
  });
});

describe('error codes', () => {
  test('are all in the schema of problems, with their statuses', () => {
    const problem = document.components.schemas['Problem'];
    expect(problem).toMatchObject({ properties: { code: { enum: [...ERROR_CODES] } } });
    expect(ERROR_CODES.filter((code) => !String(problem?.['description']).includes(`| \`${code}\` |`))).toEqual([]);
  });

  test('are each named by an operation, or by an answer that any address may give', () => {
    const internal = ['deferred_timeout', 'executor_full', 'task_discarded'];
    // This code occurs only if another application embeds the service.
    internal.push('body_consumed');
    // These codes occur only in `deferred-uploads/jobs`.
    internal.push('unknown_job', 'job_failed');
    // These codes answer bytes that never become a request.
    internal.push('headers_too_large', 'request_timeout', 'expectation_failed');
    const named = new Set([...codesIn(document.paths), ...codesIn(document.components.responses), ...internal]);
    expect(ERROR_CODES.filter((code) => !named.has(code))).toEqual([]);
  });

  test('of a rejected upload are among the outcomes of its result', () => {
    const outcomes = codesIn(document.paths['/uploads/{id}/result']);
    const rejections = ['ticket_forbids', 'quota_exceeded', 'too_many_uploads', 'file_too_large', 'digest_mismatch'];
    expect(rejections.filter((code) => !outcomes.includes(code))).toEqual([]);
  });

  test('of a cancelled or discarded upload are among the answers to a request for its bytes', () => {
    const codes = codesIn(document.paths['/uploads/{id}/content']);
    expect(['upload_cancelled', 'upload_discarded'].filter((code) => !codes.includes(code))).toEqual([]);
  });

  test('are listed under the status that they answer with', () => {
    for (const [, , operation] of operations) {
      for (const [status, response] of Object.entries(operation.responses)) {
        const examples = Object.values(response.content?.['application/problem+json']?.examples ?? {});
        expect(examples.filter(({ value }) => isObject(value) && String(value['status']) !== status)).toEqual([]);
      }
    }
  });
});
