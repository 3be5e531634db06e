import { readFile } from 'node:fs/promises';

const CUE = /^(\S+) --> (\S+).*\n((?:.+\n?)+)/gm;

/** @type {import('deferred-uploads').ProcessFile} */
export default async function readSubtitles({ inputPath, report, publish, damaged }) {
  const text = (await readFile(inputPath, 'utf8')).replaceAll('\r\n', '\n');
  report(0.5, 'cues');
  const cues = [...text.matchAll(CUE)].map(([, from, to, words]) => ({ from, to, words: words.trim() }));
  if (cues.length === 0) throw damaged('The file has no cues. Export the subtitles again.');
  const json = new TextEncoder().encode(JSON.stringify(cues));
  return { cues: cues.length, file: await publish({ name: 'cues.json', type: 'application/json' }, json) };
}
