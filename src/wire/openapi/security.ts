import type { ErrorCode } from '../../errors.ts';
import type { OpenApiDocument, Operation } from './shapes.ts';

/** How a request proves who it comes from, if `ACCESS` is `keys`. */
export const ACCESS_SECURITY_SCHEMES: OpenApiDocument['components']['securitySchemes'] = {
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key of a tenant, `du_<tenant>_…`. Only for back ends. It must never be in an address.',
  },
  ticket: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'A ticket, which allows uploads to be created.',
  },
  ticketInQuery: {
    type: 'apiKey',
    in: 'query',
    name: 'ticket',
    description: 'A ticket, for forms and for clients that cannot set headers.',
  },
};

/** For operations that create uploads. In open mode they need nothing. */
export const CREATING_SECURITY: NonNullable<Operation['security']> = [
  {},
  { apiKey: [] },
  { ticket: [] },
  { ticketInQuery: [] },
];

/** For operations of back ends. */
export const API_KEY_SECURITY: NonNullable<Operation['security']> = [{ apiKey: [] }];

/** Codes of operations that create uploads. */
export const CREATING_CODES = [
  'ticket_required',
  'ticket_invalid',
  'ticket_expired',
  'ticket_forbids',
  'foreign_origin',
] as const satisfies readonly ErrorCode[];
