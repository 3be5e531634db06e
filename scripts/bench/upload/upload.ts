import { onInterrupt, say, type Bench, type CommonOptions } from '../lib/bench.ts';
import type { Child } from '../lib/child.ts';
import { withSession, type Session } from '../lib/session.ts';
import { BUCKET_PEERS, FILE_PEERS, PARTS_PEERS, PICTURE_PEERS, type UploadPeer } from './peers.ts';
import type { SenderQuestions } from './questions.ts';
import { reportBucket, reportFiles, reportParts, reportPictures, type LoadFigures } from './report.ts';
import { runUploadRound, type Load } from './round.ts';

const defaults = { mib: 1024, files: 16, each: 32, pictures: 4000, connections: 32, rounds: 5 };
const quick = { mib: 64, files: 4, each: 8, pictures: 400, rounds: 1 };

type Options = typeof defaults;

const MIB = 2 ** 20;
const PICTURE_BYTES = 100_000;

/** The bucket keeps all files in memory. */
const MOST_BUCKET_MIB = 256;

/** The number of bytes that are enough to compile the code for a large file. */
const WARM_UP_BYTES = 64 * MIB;
/** The share of the small requests that warm up. They run more code, so they need more of that than large files. */
const WARM_UP_SHARE = 0.25;

/** Measures the cost of receiving files, from the socket to the disk, and of queueing pictures. */
export const upload = [
  part({
    name: 'files',
    summary: 'one large file, and several at once, beside other servers that take uploads',
    figuresOf: (options) => fileFigures(FILE_PEERS, options),
    tableOf: reportFiles,
  }),
  part({
    name: 'tus',
    summary: 'the same files by tus in parts of 8 MiB, beside @tus/server',
    figuresOf: (options) => fileFigures(PARTS_PEERS, options, 'tus in parts of 8 MiB: '),
    tableOf: reportParts,
  }),
  part({
    name: 'pictures',
    summary: 'pictures to the queue, beside Koa with multer',
    figuresOf: (options) => [{ title: pictureTitle(options), load: pictureLoad(options), peers: none(PICTURE_PEERS) }],
    tableOf: reportPictures,
  }),
  part({ name: 'bucket', summary: 'the ways of a file to a bucket', figuresOf: bucketFigures, tableOf: reportBucket }),
];

interface UploadPart {
  name: string;
  summary: string;
  figuresOf: (options: Options) => LoadFigures[];
  tableOf: (figures: LoadFigures) => string;
}

function part({ name, summary, figuresOf, tableOf }: UploadPart): Bench<Options> {
  return {
    name: `upload ${name}`,
    summary,
    defaults,
    quick,
    async run(options) {
      const figures = figuresOf(options);
      const report = () => figures.map(tableOf).join('\n\n');
      onInterrupt(report);
      return await withSession(async (session) => {
        const sender = session.start<SenderQuestions>('../upload/children/sender');
        await runAll(session, sender, figures, options);
        return report();
      });
    },
  };
}

function fileFigures(peers: readonly UploadPeer[], options: Options, what = ''): LoadFigures[] {
  return [
    { title: what + titleOf(1, options.mib, options), load: fileLoad(1, options.mib), peers: none(peers) },
    {
      title: what + titleOf(options.files, options.each, options),
      load: fileLoad(options.files, options.each),
      peers: none(peers),
    },
  ];
}

function bucketFigures(options: Options): LoadFigures[] {
  const mib = Math.min(options.mib, MOST_BUCKET_MIB);
  const title = `a bucket in memory: ${titleOf(1, mib, options)}`;
  return [{ title, load: fileLoad(1, mib), peers: none(BUCKET_PEERS) }];
}

function none(peers: readonly UploadPeer[]): LoadFigures['peers'] {
  return peers.map((peer) => ({ peer, rounds: [] }));
}

function titleOf(files: number, mib: number, { rounds }: Options): string {
  const what = files === 1 ? 'one file' : `${files} files at once`;
  return `${what} of ${mib} MiB; medians of ${rounds} rounds, each with a new server`;
}

function pictureTitle({ pictures, connections, rounds }: Options): string {
  const what = `${pictures} pictures of 100 KB over ${connections} connections`;
  return `${what}; medians of ${rounds} rounds, each with a new server`;
}

function fileLoad(files: number, mib: number): Load {
  return {
    files,
    bytes: mib * MIB,
    connections: files,
    keepsFiles: false,
    warmUp: { files, bytes: Math.min(mib * MIB, WARM_UP_BYTES / files) },
  };
}

function pictureLoad({ pictures, connections }: Options): Load {
  const warmUp = { files: Math.ceil(pictures * WARM_UP_SHARE), bytes: PICTURE_BYTES };
  return { files: pictures, bytes: PICTURE_BYTES, connections, keepsFiles: true, warmUp };
}

/** Runs the rounds. In each round all peers run each load in turn. */
async function runAll(
  session: Session,
  sender: Child<SenderQuestions>,
  figures: readonly LoadFigures[],
  options: Options & CommonOptions,
): Promise<void> {
  const { profile, rounds, serverOptions } = options;
  // Node names the profiles itself, by time and process.
  const nodeOptions = [...serverOptions, ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`])];
  for (let round = 1; round <= rounds; round += 1) {
    for (const { title, load, peers } of figures) {
      for (const measured of peers) {
        say(`round ${round} of ${rounds}: ${title.split(';')[0]}: ${measured.peer.title}`);
        measured.rounds.push(await runUploadRound(session, sender, measured.peer, load, nodeOptions));
      }
    }
  }
}
