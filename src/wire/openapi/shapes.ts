/** The part of OpenAPI 3.1 that the document makes use of. */

/** JSON Schema of draft 2020-12, a reference included. */
export type Schema = Readonly<Record<string, unknown>>;

/** `#/components/…`. */
export interface Reference {
  $ref: string;
}

/** Must fit the schema beside it. */
export interface Example {
  summary?: string;
  value: unknown;
}

/** `encoding` is for the parts of a form alone. */
export interface MediaType {
  schema: Schema;
  examples?: Readonly<Record<string, Example>>;
  encoding?: Readonly<Record<string, { contentType: string }>>;
}

/** By media type. */
export type Content = Readonly<Record<string, MediaType>>;

/** Its name is its key. */
export interface Header {
  description: string;
  schema: Schema;
}

/** `required` is false where it is left out, which a path does not allow. */
export interface Parameter extends Header {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  example?: unknown;
  /** False where a list is written as `a=1,2` instead of `a=1&a=2`. */
  explode?: boolean;
}

/** Without `content` there is no body. */
export interface Response {
  description: string;
  headers?: Readonly<Record<string, Header | Reference>>;
  content?: Content;
}

/** By status. */
export type Responses = Readonly<Record<string, Response>>;

/** One method of one path. */
export interface Operation {
  /** Unique in the document: generators name a client's functions by it. */
  operationId: string;
  tags: readonly string[];
  summary: string;
  /** CommonMark. */
  description: string;
  parameters?: readonly (Parameter | Reference)[];
  requestBody?: { description: string; required: boolean; content: Content };
  responses: Responses;
  /** Any one of them will do; without it nothing is asked for. */
  security?: readonly Readonly<Record<string, readonly string[]>>[];
}

/** HEAD comes with every GET and is listed where there is none. */
export type Method = 'get' | 'put' | 'post' | 'delete' | 'head' | 'patch' | 'options';

/** By method. */
export type PathItem = Readonly<Partial<Record<Method, Operation>>>;

/** By path template. */
export type Paths = Readonly<Record<string, PathItem>>;

/** The whole of it, fit for `JSON.stringify`. */
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
  components: {
    schemas: Readonly<Record<string, Schema>>;
    parameters: Readonly<Record<string, Parameter>>;
    headers: Readonly<Record<string, Header>>;
    responses: Readonly<Record<string, Response>>;
    securitySchemes: Readonly<Record<string, { type: 'http'; scheme: 'basic' | 'bearer'; description: string }>>;
  };
}
