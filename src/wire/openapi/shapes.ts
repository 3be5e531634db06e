/** Types of the parts of OpenAPI 3.1 that the document uses. */

/** A JSON Schema (draft 2020-12) or a reference to one. */
export type Schema = Readonly<Record<string, unknown>>;

/** A reference such as `#/components/headers/ETag`. */
export interface Reference {
  $ref: string;
}

/** An example, which must match the schema next to it. */
export interface Example {
  summary?: string;
  value: unknown;
}

/** One form of a body. `encoding` describes the parts of a form. */
export interface MediaType {
  schema: Schema;
  examples?: Readonly<Record<string, Example>>;
  encoding?: Readonly<Record<string, { contentType: string }>>;
}

/** Bodies by media type. */
export type Content = Readonly<Record<string, MediaType>>;

/** A response header. */
export interface Header {
  description: string;
  schema: Schema;
}

/** A request parameter. `required` is false by default; parameters in the path must be required. */
export interface Parameter extends Header {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  example?: unknown;
  /** False if a list is written as `a=1,2` instead of `a=1&a=2`. */
  explode?: boolean;
}

/** A response. It has no body if `content` is missing. */
export interface Response {
  description: string;
  headers?: Readonly<Record<string, Header | Reference>>;
  content?: Content;
}

/** Responses by status. */
export type Responses = Readonly<Record<string, Response>>;

/** One method of one path. */
export interface Operation {
  /** Unique in the document. Generators use it as the name of a function. */
  operationId: string;
  tags: readonly string[];
  summary: string;
  /** A text in CommonMark. */
  description: string;
  parameters?: readonly (Parameter | Reference)[];
  requestBody?: { description: string; required: boolean; content: Content };
  responses: Responses;
  /** Alternatives, of which one is enough. Undefined: no authentication. */
  security?: readonly Readonly<Record<string, readonly string[]>>[];
}

/** Every GET also supports HEAD, so `head` is listed only for paths without GET. */
type Method = 'get' | 'put' | 'post' | 'delete' | 'head' | 'patch' | 'options';

/** The operations of a path by method. */
export type PathItem = Readonly<Partial<Record<Method, Operation>>>;

/** Operations by path template. */
export type Paths = Readonly<Record<string, PathItem>>;

/** A way to authenticate a request. */
type SecurityScheme =
  | { type: 'http'; scheme: 'basic' | 'bearer'; bearerFormat?: string; description: string }
  | { type: 'apiKey'; in: 'query'; name: string; description: string };

/** The whole document, ready for `JSON.stringify`. */
export interface OpenApiDocument {
  openapi: string;
  info: {
    title: string;
    version: string;
    summary: string;
    description: string;
    license: { name: string; identifier: string };
  };
  servers: readonly { url: string; description: string }[];
  tags: readonly { name: string; description: string }[];
  paths: Paths;
  /** Requests that the service sends, by their type. */
  webhooks: Paths;
  components: {
    schemas: Readonly<Record<string, Schema>>;
    parameters: Readonly<Record<string, Parameter>>;
    headers: Readonly<Record<string, Header>>;
    responses: Readonly<Record<string, Response>>;
    securitySchemes: Readonly<Record<string, SecurityScheme>>;
  };
}
