import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Loaded into a process under test: collects its garbage on request, and reports how many bytes are left. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('message', async (message) => {
  if (message !== 'heap') return;
  // A second round collects objects that the first one has released, such as buffers with finalizers.
  for (let round = 0; round < 3; round += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.send?.({ type: 'heap', bytes: heapUsed + arrayBuffers });
});
