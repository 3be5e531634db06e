import type { Questions, Reply } from './child.ts';

/**
 * Answers the questions of the parent process until it disconnects or dies. Ignores Ctrl-C, which a terminal sends to
 * all processes, because the parent handles it.
 */
export function serveQuestions<Q extends Questions<Q>>(handlers: Q): void {
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined);
  const table = new Map(Object.entries<(argument: never) => unknown>(handlers));
  process.on('message', ({ number, question, argument }: { number: number; question: string; argument: never }) => {
    void answer(number, table.get(question), argument);
  });
}

async function answer(
  number: number,
  handler: ((argument: never) => unknown) | undefined,
  argument: never,
): Promise<void> {
  try {
    if (handler === undefined) throw new Error('no such question');
    reply({ number, answer: await handler(argument) });
  } catch (error) {
    reply({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/** Sends a reply. If the parent has just ended, the error is ignored, because nobody waits for the reply. */
function reply(message: Reply): void {
  if (process.connected) process.send?.(message, () => undefined);
}
