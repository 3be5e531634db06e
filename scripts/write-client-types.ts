import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clientTypes, PROJECT_ROOT } from './client-types.ts';

await writeFile(join(PROJECT_ROOT, 'src', 'client', 'client.d.ts'), await clientTypes());
