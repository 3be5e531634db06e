import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clientTypes } from './client-types.ts';
import { envExample } from './env-example.ts';
import { projectRoot } from './setup/project-root.mjs';

await writeFile(join(projectRoot, '.env.example'), envExample());
await writeFile(join(projectRoot, 'src', 'client', 'client.d.ts'), await clientTypes());
