import { pbkdf2 } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { pictureKind } from '../../../src/kinds/picture.ts';
import { createProcessorTable, processorEntry, type ProcessorTable } from '../../../workers/processors.ts';
import type { StepContext } from '../../../workers/processor.ts';
import { UnprocessableError } from '../../../workers/unprocessable-error.ts';
import { pidsOf, readOrders, releasePath, type Act, type EventLogLine, type Orders } from './faults.ts';
import { TINY_PICTURE } from '../results.ts';

const POLL_MS = 10;

/** Creates a processor of pictures that performs the acts in the file. */
export function createFaultyProcessors(): ProcessorTable {
  const picture = pictureKind();
  const steps = [{ name: 'obey', weight: 1, run: async (_state: object, context: StepContext) => await obey(context) }];
  return createProcessorTable([
    processorEntry(picture, { kind: picture.name, steps, begin: () => ({}), result: () => TINY_PICTURE }),
  ]);
}

async function obey(context: StepContext): Promise<void> {
  const orders = readOrders(context.inputPath);
  write(orders, 'began');
  context.signal.addEventListener('abort', () => write(orders, 'aborted'));
  const began = pidsOf(orders.eventLog).length;
  for (const act of orders.attempts[began - 1] ?? orders.attempts.at(-1) ?? []) await ACTS[act](context, orders);
}

function write({ eventLog }: Orders, event: EventLogLine['event']): void {
  const line: EventLogLine = { pid: process.pid, event, atMs: Date.now() };
  appendFileSync(eventLog, `${JSON.stringify(line)}\n`);
}

const ACTS: Record<Act, (context: StepContext, orders: Orders) => Promise<void> | void> = {
  finish: () => undefined,
  publish: async (context) =>
    void (await context.publishVariant(
      { name: '160', format: 'jpeg', width: 1, height: 1 },
      Buffer.from(String(process.pid)),
    )),
  crash: () => process.abort(),
  segfault: () => void process.kill(process.pid, 'SIGSEGV'),
  eat() {
    const eaten: unknown[][] = [];
    for (;;) eaten.push(Array.from({ length: 1_000_000 }, () => eaten.length));
  },
  exit: () => process.exit(0),
  spin() {
    for (;;);
  },
  block: async () => await new Promise((resolve) => pbkdf2('a', 'b', 2 ** 31 - 1, 64, 'sha512', () => resolve())),
  hang: async () => await new Promise(() => undefined),
  wait: async ({ signal }) =>
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  refuse: () => {
    throw new UnprocessableError('picture_damaged', 'As ordered.', { cause: new Error('orders') });
  },
  async 'with-neighbour'(_context, { eventLog, neighbour = '' }) {
    while (pidsOf(neighbour).length < pidsOf(eventLog).length) await delay(POLL_MS);
  },
  async 'until-released'(_context, { eventLog }) {
    while (!existsSync(releasePath(eventLog))) await delay(POLL_MS);
  },
};
