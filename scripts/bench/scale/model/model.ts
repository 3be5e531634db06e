import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../../setup/project-root.mjs';
import type { Costs } from '../costs/costs.ts';
import { scalingTables } from './tables.ts';

const COSTS_FILE = join(projectRoot, 'docs', 'scaling-costs.json');

/** The tables of `docs/scaling.md`, from the costs that lie beside it. Nothing is measured. */
export async function readScalingTables(): Promise<string> {
  return scalingTables(JSON.parse(await readFile(COSTS_FILE, 'utf8')) as Costs);
}
