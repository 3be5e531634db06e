import { describe, expect, test } from '@jest/globals';
import { acceptFile } from '../../../src/intake/receive.ts';
import { createKinds } from '../../../src/kinds/kinds.ts';
import { workbook, workbookParts, sheetRow } from '../../helpers/workbook.ts';
import { zipFile } from '../../helpers/zip-file.ts';

const kinds = createKinds();
const sheets = { One: sheetRow(1, ['a', 'b']) };

async function refusal(head: Buffer): Promise<unknown> {
  return await acceptFile(kinds, head, {}).then(
    ({ type }) => type,
    (error: unknown) => error,
  );
}

describe('a workbook at the intake', () => {
  test('of binary parts is refused with the advice to save it as XLSX', async () => {
    const parts = workbookParts({ sheets }).map((part) => ({
      ...part,
      name: part.name.replace(/^xl\/(.*)\.xml$/, 'xl/$1.bin'),
    }));
    const types = { name: '[Content_Types].xml', bytes: '<Types/>' };
    expect(await refusal(zipFile([types, ...parts.slice(1)]))).toMatchObject({
      code: 'unsupported_media_type',
      message: expect.stringMatching(/binary\.macroenabled.*save it as XLSX or CSV\.$/),
    });
  });

  test('of XML is taken, with macros and printer settings too', async () => {
    const more = [
      { name: 'xl/vbaProject.bin', bytes: Buffer.alloc(9) },
      { name: 'xl/printerSettings/printerSettings1.bin', bytes: Buffer.alloc(9) },
    ];
    expect(await refusal(workbook({ sheets, more }))).toMatch(/spreadsheetml/);
  });
});
