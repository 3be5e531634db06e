import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { compiled } from '../../helpers/compiled.ts';

const urlOf = (source: string) => pathToFileURL(compiled(source)).href;

const UPLOAD = '6a2f41a3-c54c-4b9b-9f0e-0d6a3f7a1b2c';

const SCRIPT = `
  import { createLog } from '${urlOf('src/telemetry/log.ts')}';
  import { logPrintedLines } from '${urlOf('src/telemetry/printed-lines.ts')}';
  logPrintedLines(createLog('worker', { logLevel: 'info' }));
  console.debug('below the level');
  console.log('%d lines', 2, { of: 'text' });
  console.warn('about ${UPLOAD}\\nand more');
  console.error(new Error('no disk'));
  process.emitWarning('old option', 'DeprecationWarning');
`;

test('what packages print, and the warnings of Node, are lines of the log without secrets', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', SCRIPT]);
  expect(stderr).toBe('');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  const [role, msg] = ['worker', 'printed by a package'];
  expect(lines).toEqual([
    expect.objectContaining({ role, msg, level: 'info', text: "2 lines { of: 'text' }" }),
    expect.objectContaining({ role, msg, level: 'warn', text: 'about :id\nand more' }),
    expect.objectContaining({ role, msg, level: 'error', text: expect.stringContaining('Error: no disk') }),
    expect.objectContaining({ role, level: 'warn', warning: 'DeprecationWarning', text: 'old option' }),
  ]);
});
