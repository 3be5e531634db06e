import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Loaded into a process under test: collects its garbage when asked, and says how many bytes are left. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('message', async (message) => {
  if (message !== 'heap') return;
  // What a first round lets go of, such as buffers with finalizers, a second one collects.
  for (let round = 0; round < 3; round += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.send?.({ type: 'heap', bytes: heapUsed + arrayBuffers });
});
