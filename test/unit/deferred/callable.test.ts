import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { deferredCall, type Callable } from '../../../src/deferred/callable.ts';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { Executor, type ExecutorTask, type OverflowPolicy } from '../../../src/deferred/executor.ts';
import { FakeClock } from './fake-clock.ts';
import { closeServers, serve, settle, until } from './serve.ts';

afterEach(closeServers);

/** Makes a task that ends when the test says so. */
function manualTask(): {
  run: (signal: AbortSignal) => Promise<string>;
  finish: (value: string) => void;
  signals: AbortSignal[];
} {
  const signals: AbortSignal[] = [];
  let finish = (_value: string): void => {};
  const run = (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return new Promise((resolve) => (finish = resolve));
  };
  return { run, finish: (value) => finish(value), signals };
}

/** Starts a call whose response is held. */
function started<T>(task: Callable<T>, executor: Executor): DeferredResult<T> {
  const result = deferredCall(task, { executor });
  result.start();
  return result;
}

describe('callable', () => {
  test.each([
    ['the bound on held responses rejects the request', { maxHeld: 0 }, {}],
    ['an interceptor rejects the request', {}, {}],
    ['the timeout is 0', {}, { timeoutMs: 0, timeoutResult: 'now' }],
  ])('does not begin if %s', async (_what, bounds, times) => {
    const executor = new Executor();
    const task = manualTask();
    const served = await serve(() => deferredCall(task.run, { executor, ...times }), bounds);
    if (!('timeoutMs' in times))
      served.manager.register('gate', {
        beforeConcurrentHandling: () => {
          throw new Error('not now');
        },
      });
    const { status } = await served.get('/');
    expect(status).toBe('timeoutMs' in times ? 200 : 'maxHeld' in bounds ? 503 : 500);
    expect([task.signals.length, executor.running, executor.waiting]).toEqual([0, 0, 0]);
  });

  test('runs on a bounded executor, and its return value is the result', async () => {
    const executor = new Executor({ maxRunning: 2, maxWaiting: 10 });
    const tasks = Array.from({ length: 5 }, manualTask);
    const results = tasks.map((task) => started(task.run, executor));
    expect([executor.running, executor.waiting]).toEqual([2, 3]);
    expect(tasks.map((task) => task.signals.length)).toEqual([1, 1, 0, 0, 0]);
    tasks[1]?.finish('second');
    await settle();
    expect(results[1]?.getResult()).toBe('second');
    expect(tasks.map((task) => task.signals.length)).toEqual([1, 1, 1, 0, 0]);
    for (const index of [0, 2, 3, 4]) {
      tasks[index]?.finish(`task ${index}`);
      await settle();
    }
    expect(results.map((result) => result.getResult())).toEqual(['task 0', 'second', 'task 2', 'task 3', 'task 4']);
    expect([executor.running, executor.waiting]).toEqual([0, 0]);
  });

  test('answers with its error, thrown or rejected', async () => {
    const executor = new Executor();
    const teapot = Object.assign(new Error('short and stout'), { status: 418, expose: true });
    const served = await serve((ctx) => {
      if (ctx.path === '/value') return deferredCall(() => ({ made: true }), { executor });
      if (ctx.path === '/rejects') return deferredCall(() => Promise.reject(teapot), { executor });
      return deferredCall(
        () => {
          throw teapot;
        },
        { executor },
      );
    });
    expect(await served.get('/value')).toMatchObject({ status: 200, body: '{"made":true}' });
    expect(await served.get('/rejects')).toMatchObject({ status: 418, body: 'short and stout' });
    expect(await served.get('/throws')).toMatchObject({ status: 418, body: 'short and stout' });
  });

  test('is rejected at once if the executor is full', async () => {
    const executor = new Executor({ maxRunning: 1, maxWaiting: 1, policy: 'reject' });
    const [first, second, third] = [manualTask(), manualTask(), manualTask()].map((task) => ({
      task,
      result: started(task.run, executor),
    }));
    expect(third?.result.getResult()).toMatchObject({ code: 'executor_full', status: 503 });
    expect([first?.result.hasResult(), second?.result.hasResult()]).toEqual([false, false]);
    first?.task.finish('first');
    await settle();
    second?.task.finish('second');
    await settle();
    expect([second?.result.getResult(), third?.task.signals.length, executor.running]).toEqual(['second', 0, 0]);
  });

  test('is answered at once if discard-oldest replaces it, because it has waited longest', () => {
    const executor = new Executor({ maxRunning: 1, maxWaiting: 2, policy: 'discard-oldest' });
    const results = Array.from({ length: 4 }, () => started(manualTask().run, executor));
    expect(results[1]?.getResult()).toMatchObject({ code: 'task_discarded', status: 503 });
    expect(results.map((result) => result.hasResult())).toEqual([false, true, false, false]);
    expect([executor.running, executor.waiting]).toEqual([1, 2]);
  });

  test('waits outside the queue in order under caller-waits, and is never rejected', async () => {
    const executor = new Executor({ maxRunning: 1, maxWaiting: 1, policy: 'caller-waits' });
    const tasks = Array.from({ length: 4 }, manualTask);
    const results = tasks.map((task) => started(task.run, executor));
    let isLetIn = false;
    void executor.execute({ run: () => Promise.resolve(), discarded: () => {} }).then(() => (isLetIn = true));
    expect(executor.waiting).toBe(4);
    for (const [index, task] of tasks.entries()) {
      expect([task.signals.length, isLetIn]).toEqual([1, index === 3]);
      task.finish(`task ${index}`);
      await settle();
      expect(results[index]?.getResult()).toBe(`task ${index}`);
    }
    expect([executor.running, executor.waiting]).toEqual([0, 0]);
  });

  test('is aborted by its AbortSignal exactly once at a timeout', async () => {
    const clock = new FakeClock();
    const executor = new Executor();
    const aborts: unknown[] = [];
    const served = await serve(
      () =>
        deferredCall(
          (signal) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                aborts.push(signal.reason);
                reject(signal.reason as Error);
              });
            }),
          { executor, timeoutMs: 1000, timeoutResult: () => Promise.resolve('fallback') },
        ),
      { clock },
    );
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    clock.advance(1100);
    expect(aborts).toEqual([expect.objectContaining({ code: 'deferred_timeout' })]);
    expect(await answer).toMatchObject({ status: 200, body: 'fallback' });
    await until(() => executor.running === 0);
    await served.manager.drain();
    expect(aborts).toHaveLength(1);
    expect([served.faults, served.appErrors]).toEqual([[], []]);
  });

  test('is aborted if the client goes away, and does not run if it is still queued', async () => {
    const executor = new Executor({ maxRunning: 1 });
    const running = manualTask();
    const waiting = manualTask();
    const served = await serve((ctx) => deferredCall((ctx.path === '/running' ? running : waiting).run, { executor }));
    const requests = [served.open('/running')];
    await until(() => served.manager.held === 1);
    requests.push(served.open('/waiting'));
    await until(() => executor.waiting === 1);
    for (const request of requests.toReversed()) request.destroy();
    await until(() => served.manager.held === 0);
    expect(running.signals[0]?.reason).toMatchObject({ code: 'client_disconnected' });
    expect([executor.running, executor.waiting]).toEqual([1, 0]);
    running.finish('too late');
    await settle();
    expect([executor.running, waiting.signals.length]).toEqual([0, 0]);
  });

  test('is not aborted after its end', async () => {
    const executor = new Executor();
    const task = manualTask();
    const served = await serve(() => deferredCall(task.run, { executor }));
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    task.finish('done');
    expect((await answer).body).toBe('done');
    await settle();
    expect(task.signals[0]?.aborted).toBe(false);
  });

  test('frees a value that comes after the answer', async () => {
    const late = new Readable({ read() {} });
    let finish = (_value: unknown): void => {};
    const executor = new Executor();
    const result = started<unknown>(() => new Promise((resolve) => (finish = resolve)), executor);
    result.setResult('sooner');
    finish(late);
    await settle();
    expect(late.destroyed).toBe(true);
  });

  test('has its own timeout, fallback and executor', async () => {
    const clock = new FakeClock();
    const executors = { a: new Executor(), b: new Executor() };
    const served = await serve(
      (ctx) => {
        const [executor, timeoutMs] = ctx.path === '/a' ? [executors.a, 500] : [executors.b, 1500];
        return deferredCall(manualTask().run, { executor, timeoutMs, timeoutResult: `fallback of ${ctx.path}` });
      },
      { clock },
    );
    const answers = [served.get('/a'), served.get('/b')];
    await until(() => served.manager.held === 2);
    expect([executors.a.running, executors.b.running]).toEqual([1, 1]);
    clock.advance(550);
    expect(served.manager.held).toBe(1);
    clock.advance(1000);
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(['fallback of /a', 'fallback of /b']);
  });
});

describe('Executor', () => {
  test('ends every task once: run, rejected, discarded or removed, and never exceeds its limit', async () => {
    const policies = fc.constantFrom<OverflowPolicy>('reject', 'discard-oldest', 'caller-waits');
    const steps = fc.array(fc.constantFrom('add', 'add', 'finish', 'remove'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        policies,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 3 }),
        steps,
        async (policy, maxRunning, maxWaiting, order) => {
          const executor = new Executor({ maxRunning, maxWaiting, policy });
          const ends: string[][] = [];
          const tasks: ExecutorTask[] = [];
          const finishes: (() => void)[] = [];
          const finishNext = async (): Promise<void> => {
            finishes.shift()?.();
            await settle();
          };
          for (const step of order) {
            if (step === 'add') {
              const end: string[] = [];
              const task: ExecutorTask = {
                run: () => {
                  end.push('run');
                  return new Promise((resolve) => finishes.push(resolve));
                },
                discarded: () => end.push('discarded'),
              };
              ends.push(end);
              tasks.push(task);
              try {
                void executor.execute(task);
              } catch {
                end.push('refused');
              }
            }
            if (step === 'finish') await finishNext();
            if (step === 'remove') {
              const index = ends.findIndex((end) => end.length === 0);
              const task = tasks[index];
              if (task && executor.remove(task)) ends[index]?.push('removed');
            }
            expect(executor.running).toBeLessThanOrEqual(maxRunning);
            if (policy !== 'caller-waits') expect(executor.waiting).toBeLessThanOrEqual(maxWaiting);
          }
          while (finishes.length > 0) await finishNext();
          for (const end of ends) expect(end).toHaveLength(1);
          expect([executor.running, executor.waiting]).toEqual([0, 0]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('releases the caller under caller-waits if its task is removed from outside the queue', async () => {
    const executor = new Executor({ maxRunning: 1, maxWaiting: 0, policy: 'caller-waits' });
    const makeTask = (): ExecutorTask => ({ run: () => new Promise(() => {}), discarded: () => {} });
    await executor.execute(makeTask());
    const outside = makeTask();
    const letIn = executor.execute(outside);
    expect(executor.remove(outside)).toBe(true);
    await letIn;
    expect([executor.remove(outside), executor.waiting]).toEqual([false, 0]);
  });

  test('runs 16 tasks and queues 5000 by default', () => {
    const executor = new Executor();
    const results = Array.from({ length: 5017 }, () => started(manualTask().run, executor));
    expect([executor.running, executor.waiting]).toEqual([16, 5000]);
    expect(results.filter((result: DeferredResult) => result.hasResult())).toHaveLength(1);
  });
});
