import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { photo, type PhotoOptions } from '../../../test/helpers/pictures.ts';
import { onInterrupt, say, type Bench, type CommonOptions } from '../lib/bench.ts';
import { withSession, type Session } from '../lib/session.ts';
import { bareSharp } from './bare.ts';
import { IMAGEMAGICK, program, VIPSTHUMBNAIL } from './command.ts';
import type { Contestant } from './contestant.ts';
import { report, type Figures } from './report.ts';
import { wholeService } from './service.ts';

const defaults = { pictures: 48, rounds: 5, workers: availableParallelism() };
const quick = { pictures: 6, rounds: 1 };

/** The number of pictures that are enough to compile all code in every process. */
const WARM_UP_PICTURES = 4;

const PHONE: PhotoOptions = {
  width: 4000,
  height: 3000,
  orientation: 1,
  exif: {
    make: 'Acme',
    model: 'One',
    date: '2026:03:13 18:04:11',
    offset: '+01:00',
    lens: 'One back camera',
    iso: '64',
    gps: true,
  },
};

/** The photos, with a title. */
const KINDS: readonly { title: string; photos: readonly PhotoOptions[] }[] = [
  {
    title: 'as phones write them: EXIF, and a profile of sRGB or Display P3',
    photos: [
      { ...PHONE, profile: 'srgb', seed: 1 },
      { ...PHONE, profile: 'p3', seed: 2 },
    ],
  },
  {
    title: 'without any profile',
    photos: [
      { width: 4000, height: 3000, seed: 1 },
      { width: 4000, height: 3000, seed: 2 },
    ],
  },
];

/** Compares the service, from the first byte to the result, with programs that only convert files. */
export const pictures: Bench<typeof defaults> = {
  name: 'pictures',
  summary:
    '12-megapixel photos to three sizes, through the whole service, beside bare sharp, vipsthumbnail and ImageMagick',
  defaults,
  quick,
  async run(options) {
    return await withSession(async (session) => {
      const programs = [VIPSTHUMBNAIL, IMAGEMAGICK].map((one) => ({ title: one.title, contestant: program(one) }));
      const absent = programs.filter(({ contestant }) => contestant === undefined).map(({ title }) => title);
      const contestants = [
        await wholeService(session, options.workers, nodeOptions(options)),
        bareSharp(session),
        ...programs.flatMap(({ contestant }) => contestant ?? []),
      ];
      try {
        const reports: string[] = [];
        for (const { title, photos } of KINDS) {
          const files = await makePhotos(session.directory, photos);
          const heading = [
            `${options.pictures} photos of 12 megapixels, ${title}; to 1600 and 640 (WebP) and 160 (JPEG), `,
            `${options.workers} at the same time; medians of ${options.rounds} rounds`,
          ].join('');
          const figures: Figures[] = contestants.map((contestant) => ({ title: contestant.title, seconds: [] }));
          const reportKind = () => report(heading, options.pictures, figures, absent);
          onInterrupt(() => [...reports, reportKind()].join('\n\n'));
          await runRounds(session, contestants, files, options, figures);
          reports.push(reportKind());
        }
        return reports.join('\n\n');
      } finally {
        for (const contestant of contestants) await contestant.end();
      }
    });
  },
};

/** Returns the options of Node for the servers. Node names the profiles itself, by time and process. */
function nodeOptions({ profile, serverOptions }: CommonOptions): string[] {
  return [...serverOptions, ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])];
}

async function makePhotos(directory: string, photos: readonly PhotoOptions[]): Promise<string[]> {
  say(`making ${photos.length} photos`);
  const place = await mkdtemp(join(directory, 'photos-'));
  return await Promise.all(
    photos.map(async (options, index) => {
      const path = join(place, `${index}.jpg`);
      await writeFile(path, await photo(options));
      return path;
    }),
  );
}

/** Runs the rounds. In each round all contestants convert the same photos in turn. */
async function runRounds(
  session: Session,
  contestants: readonly Contestant[],
  photos: readonly string[],
  options: typeof defaults,
  figures: readonly Figures[],
): Promise<void> {
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const [index, contestant] of contestants.entries()) {
      const isWarmUp = round === 0;
      say(isWarmUp ? `warming up: ${contestant.title}` : `round ${round} of ${options.rounds}: ${contestant.title}`);
      const directory = await mkdtemp(join(session.directory, 'made-'));
      const startedMs = performance.now();
      await contestant.convert({
        photos,
        directory,
        count: isWarmUp ? WARM_UP_PICTURES : options.pictures,
        inFlight: options.workers,
      });
      if (!isWarmUp) figures[index]?.seconds.push((performance.now() - startedMs) / 1000);
      await rm(directory, { recursive: true });
    }
  }
}
