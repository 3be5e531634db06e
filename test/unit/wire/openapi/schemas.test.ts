import { describe, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { ERROR_CODES, problemOf } from '../../../../src/errors.ts';
import { componentSchemas, schemaRef } from '../../../../src/wire/openapi/components.ts';
import { openApiDocument } from '../../../../src/wire/openapi/document.ts';
import {
  COMPLETED_UPLOAD,
  EXAMPLE_ID,
  PROCESSING_PROGRESS,
  UNWATCHABLE,
} from '../../../../src/wire/openapi/examples.ts';
import * as schemas from '../../../../src/wire/upload-schemas.ts';
import { issuedTicketSchema } from '../../../../src/wire/access-schemas.ts';
import { directPartsSchema, storedPartsSchema } from '../../../../src/wire/direct-schemas.ts';
import { limitsSchema } from '../../../../src/wire/limit-schemas.ts';
import { uploadPageSchema, usageSchema } from '../../../../src/wire/tenant-schemas.ts';
import { foundUploadsSchema, serviceFiguresSchema } from '../../../../src/wire/operator-schemas.ts';
import { deliveryListSchema } from '../../../../src/wire/webhook-schemas.ts';
import type { MediaType } from '../../../../src/wire/openapi/shapes.ts';

const SCHEMAS_BY_REFERENCE = new Map<unknown, z.ZodType>([
  [schemaRef('Progress')['$ref'], schemas.progressSchema],
  [schemaRef('ProgressList')['$ref'], schemas.progressListSchema],
  [schemaRef('Upload')['$ref'], schemas.uploadSchema],
  [schemaRef('UploadList')['$ref'], schemas.uploadListSchema],
  [schemaRef('IssuedTicket')['$ref'], issuedTicketSchema],
  [schemaRef('Limits')['$ref'], limitsSchema],
  [schemaRef('DirectParts')['$ref'], directPartsSchema],
  [schemaRef('StoredParts')['$ref'], storedPartsSchema],
  [schemaRef('UploadPage')['$ref'], uploadPageSchema],
  [schemaRef('Usage')['$ref'], usageSchema],
  [schemaRef('ServiceStatus')['$ref'], schemas.serviceStatusSchema],
  [schemaRef('FoundUploads')['$ref'], foundUploadsSchema],
  [schemaRef('ServiceFigures')['$ref'], serviceFiguresSchema],
  [schemaRef('DeliveryList')['$ref'], deliveryListSchema],
]);

function mediaTypes(type: string): MediaType[] {
  const operations = Object.values(openApiDocument().paths).flatMap((item) => Object.values(item));
  const responses = operations.flatMap((operation) => Object.values(operation.responses));
  return responses.flatMap(({ content }) => content?.[type] ?? []);
}

function examplesOf({ examples = {} }: MediaType): unknown[] {
  return Object.values(examples).map(({ value }) => value);
}

describe('the wire schemas', () => {
  test('accept every JSON example of the document', () => {
    let count = 0;
    for (const mediaType of mediaTypes('application/json')) {
      for (const example of examplesOf(mediaType)) {
        expect(SCHEMAS_BY_REFERENCE.get(mediaType.schema['$ref'])?.safeParse(example)).toMatchObject({ success: true });
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(10);
  });

  test('accept every example of a problem', () => {
    const examples = mediaTypes('application/problem+json').flatMap(examplesOf);
    expect(examples.filter((example) => !schemas.problemSchema.safeParse(example).success)).toEqual([]);
  });

  test('accept a problem of each code, and no unknown code', () => {
    expect(
      ERROR_CODES.filter((code) => !schemas.problemSchema.safeParse(problemOf(code, 'Why.', EXAMPLE_ID)).success),
    ).toEqual([]);
    expect(schemas.problemSchema.safeParse({ ...UNWATCHABLE.error, code: 'no_such_code' }).success).toBe(false);
  });

  test.each([
    ['a member too many', { ...PROCESSING_PROGRESS, more: 1 }],
    ['a member too few', { ...PROCESSING_PROGRESS, etaMs: undefined }],
    ['more than 100 per cent', { ...PROCESSING_PROGRESS, percent: 100.1 }],
    ['an id in capitals', { ...PROCESSING_PROGRESS, id: EXAMPLE_ID.toUpperCase() }],
    ['a local time', { ...PROCESSING_PROGRESS, updatedAt: '2026-03-14T09:26:53' }],
    [
      'a link to another host',
      { ...PROCESSING_PROGRESS, links: { ...PROCESSING_PROGRESS.links, self: 'https://elsewhere/' } },
    ],
    [
      'a link that is there and undefined',
      { ...PROCESSING_PROGRESS, links: { ...PROCESSING_PROGRESS.links, content: undefined } },
    ],
  ])('reject a progress with %s', (_name, progress) => {
    expect(schemas.progressSchema.safeParse(progress).success).toBe(false);
  });

  test('reject a result of an unknown kind', () => {
    const upload = { ...COMPLETED_UPLOAD, result: { ...COMPLETED_UPLOAD.result, kind: 'film' } };
    expect(schemas.uploadSchema.safeParse(upload).success).toBe(false);
  });
});

describe('the schemas in the document', () => {
  const shown = componentSchemas();

  test('refer to each other by name', () => {
    expect(shown['Upload']).toMatchObject({
      properties: { progress: schemaRef('Progress'), links: schemaRef('Links') },
    });
    expect(shown['UploadList']).toMatchObject({ properties: { uploads: { items: schemaRef('Upload') } } });
  });

  test('do not require members that may be missing', () => {
    expect(shown['Links']?.['required']).toEqual(['self', 'progress', 'result', 'events', 'cancel', 'variants']);
    expect(shown['Problem']?.['required']).toEqual(['type', 'title', 'status', 'detail', 'code']);
  });

  test('allow future members, and are described', () => {
    expect(JSON.stringify(shown)).not.toContain('"additionalProperties":false');
    expect(Object.values(shown).filter(({ description }) => typeof description !== 'string')).toEqual([]);
  });
});
