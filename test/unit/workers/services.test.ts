import { expect, test } from '@jest/globals';
import { ConfigError, loadConfig } from '../../../src/settings/config.ts';
import { createProcessorTable } from '../../../workers/processors.ts';
import { openWorker } from '../../../workers/services.ts';
import { silentLog } from '../../helpers/record-space.ts';

test('a worker rejects WORKER_KINDS with a kind that no processor has', async () => {
  const config = loadConfig({ WORKER_KINDS: 'film' });
  const kind = { createProcessors: () => createProcessorTable([]), isolatedEntry: new URL('file:///') };
  const opened = openWorker(config, silentLog, kind, { onUnresponsive: () => undefined });
  await expect(opened).rejects.toBeInstanceOf(ConfigError);
  await expect(opened).rejects.toThrow('No processor takes the kind film. Correct WORKER_KINDS.');
});
