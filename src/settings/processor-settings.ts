import { list } from './forms.ts';

/** Processors of others. Module and manifest are read by API and worker processes. */
export const PROCESSORS = {
  PROCESSORS: list
    .prefault('')
    .describe(
      'Processors of other file types, for API and worker processes: modules, packages and manifests of programs, ' +
        'separated by commas, such as ./my-kind.mjs,@acme/pdf,./pdf.json (docs/processors.md).',
    ),
};
