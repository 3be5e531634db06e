import { defineKind, defineProcessor } from 'deferred-uploads';

const kind = defineKind({
  name: 'subtitles',
  types: ['text/vtt'],
  sniff: ({ head }) => (head.toString('latin1', 0, 6) === 'WEBVTT' ? 'text/vtt' : undefined),
  fileNames: () => ['cues.json'],
});

export default defineProcessor({ kind, load: () => import('./read-subtitles.mjs') });
