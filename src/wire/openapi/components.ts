import { z } from 'zod';
import { pictureOptionsSchema } from '../../kinds/picture-options.ts';
import { tableOptionsSchema } from '../../kinds/table-options.ts';
import { issuedTicketSchema, ticketRequestSchema } from '../access-schemas.ts';
import * as direct from '../direct-schemas.ts';
import { importRequestSchema } from '../import-schemas.ts';
import { limitsSchema } from '../limit-schemas.ts';
import { foundUploadsSchema, processReportSchema, serviceFiguresSchema } from '../operator-schemas.ts';
import * as pictures from '../picture-schemas.ts';
import { uploadIdSchema, uploadStateSchema } from '../base-schemas.ts';
import * as tables from '../table-schemas.ts';
import { uploadPageSchema, usageSchema } from '../tenant-schemas.ts';
import * as schemas from '../upload-schemas.ts';
import { deliveryListSchema, deliverySchema, webhookSchema } from '../webhook-schemas.ts';
import type { Schema } from './shapes.ts';

const COMPONENTS = {
  Links: schemas.linksSchema,
  Progress: schemas.progressSchema,
  Problem: schemas.problemSchema,
  Variant: pictures.variantSchema,
  Exposure: pictures.exposureSchema,
  Position: pictures.positionSchema,
  PictureOptions: pictureOptionsSchema().describe(
    'How a picture is processed. A member that is left out has the value of the settings of the service. The ' +
      'defaults shown are those of unchanged settings.',
  ),
  TableOptions: tableOptionsSchema.describe(
    'How a table is read. Members that are left out are determined from the table.',
  ),
  PictureResult: pictures.pictureResultSchema,
  TableColumn: tables.tableColumnSchema,
  RowError: tables.rowErrorSchema,
  TableResult: tables.tableResultSchema,
  Result: schemas.resultSchema,
  Upload: schemas.uploadSchema,
  UploadId: uploadIdSchema,
  UploadList: schemas.uploadListSchema,
  UploadPage: uploadPageSchema,
  UploadState: uploadStateSchema,
  Usage: usageSchema,
  UnwatchableUpload: schemas.unwatchableUploadSchema,
  ProgressList: schemas.progressListSchema,
  TicketRequest: ticketRequestSchema,
  IssuedTicket: issuedTicketSchema,
  Limits: limitsSchema,
  ImportRequest: importRequestSchema,
  DirectRequest: direct.directRequestSchema,
  DirectUpload: direct.directUploadSchema,
  DirectParts: direct.directPartsSchema,
  StoredParts: direct.storedPartsSchema,
  CompleteRequest: direct.completeRequestSchema,
  ServiceStatus: schemas.serviceStatusSchema,
  ProcessReport: processReportSchema,
  ServiceFigures: serviceFiguresSchema,
  FoundUploads: foundUploadsSchema,
  Webhook: webhookSchema,
  Delivery: deliverySchema,
  DeliveryList: deliveryListSchema,
} as const satisfies Record<string, z.ZodType>;

/** A name in `components.schemas`. */
export type SchemaName = keyof typeof COMPONENTS;

/** Returns a reference to a schema of the document. */
export function schemaRef(name: SchemaName): Schema {
  return { $ref: locationOf(name) };
}

/**
 * Returns the member `components.schemas` of the document. It allows members that are not documented, although the
 * service sends none, so a new member does not break generated clients.
 */
export function componentSchemas(): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id });
  const { schemas: made } = z.toJSONSchema(registry, {
    uri: locationOf,
    io: 'input',
    override: ({ jsonSchema }) => simplify(jsonSchema),
  });
  return Object.fromEntries(Object.entries(made).map(([name, schema]) => [name, withoutIdentity(schema)]));
}

/** Returns the schema of a parameter inline, without a reference. */
export function inlineSchema(schema: z.ZodType): Schema {
  return withoutIdentity(z.toJSONSchema(schema, { io: 'input' }));
}

function locationOf(name: string): string {
  return `#/components/schemas/${name}`;
}

const FORMATS_WITHOUT_PATTERN: ReadonlySet<unknown> = new Set(['date-time', 'base64']);

/** Removes patterns and limits that do not help a reader. */
function simplify(schema: z.core.JSONSchema.BaseSchema): void {
  if (FORMATS_WITHOUT_PATTERN.has(schema.format)) delete schema.pattern;
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** Removes `$id`, because the place identifies a schema in a document (JSON Schema 2020-12, 8.2.1). */
function withoutIdentity(schema: z.core.JSONSchema.BaseSchema): Schema {
  const { $id: _id, $schema: _dialect, ...rest } = schema;
  return rest;
}
