import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { gzipSync } from 'node:zlib';

/** Returns the compressed size of a module with the client. Frameworks do not count. */
async function compressedBytes(entry: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    external: ['react', '@uppy/core'],
    logLevel: 'error',
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

/** The limits are about 3 % above the present sizes. docs/client.md names the first one. */
test.each([
  ['src/client/upload-client.ts', 9700],
  ['src/integrations/uppy/uppy.ts', 11_400],
  ['src/integrations/filepond/filepond.ts', 9400],
  ['src/integrations/react/react.ts', 9900],
])('%s has at most %i bytes, compressed', async (entry, maxBytes) => {
  expect(await compressedBytes(entry)).toBeLessThanOrEqual(maxBytes);
});

test('the plugin of Uppy adds less than 4 KB to the client', async () => {
  const [plugin, client] = await Promise.all(
    ['src/integrations/uppy/uppy.ts', 'src/client/upload-client.ts'].map(compressedBytes),
  );
  expect(Number(plugin) - Number(client)).toBeLessThan(4096);
});
