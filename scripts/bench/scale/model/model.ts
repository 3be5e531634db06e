import { readFile } from 'node:fs/promises';
import type { Costs } from '../costs/costs.ts';
import { scalingTables } from './tables.ts';

const COSTS_FILE = new URL('../../../../docs/scaling-costs.json', import.meta.url);

/** The tables of `docs/scaling.md`, from the costs that lie beside it. Nothing is measured. */
export async function readScalingTables(): Promise<string> {
  return scalingTables(JSON.parse(await readFile(COSTS_FILE, 'utf8')) as Costs);
}
