import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { backOffOnError } from '../../../workers/back-off-on-error.ts';

class FakeWorker extends EventEmitter {
  readonly log: string[] = [];
  pause = async (doNotWaitActive: boolean) => void this.log.push(`pause ${doNotWaitActive}`);
  resume = async () => void this.log.push('resume');
}

const refusal = () =>
  Object.assign(new Error("OOM command not allowed when used memory > 'maxmemory'."), { name: 'ReplyError' });

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('several rejections by Redis pause a worker once, and later ones pause it again', () => {
  const worker = new FakeWorker();
  backOffOnError(worker);
  for (let count = 0; count < 5; count += 1) worker.emit('error', refusal());
  expect(worker.log).toEqual(['pause true']);
  jest.advanceTimersByTime(1000);
  expect(worker.log).toEqual(['pause true', 'resume']);
  worker.emit('error', refusal());
  expect(worker.log).toHaveLength(3);
});

test('an unavailable Redis does not pause a worker, and a closed worker is not paused', () => {
  const worker = new FakeWorker();
  const end = backOffOnError(worker);
  worker.emit('error', new Error('connect ECONNREFUSED'));
  expect(worker.log).toEqual([]);
  worker.emit('error', refusal());
  end();
  // BullMQ emits errors while it closes, which need a listener.
  worker.on('error', () => undefined);
  worker.emit('error', refusal());
  expect([worker.log, jest.getTimerCount()]).toEqual([['pause true'], 0]);
});
