import { onInterrupt, parseOptions, say, type Bench, type CommonOptions } from '../lib/bench.ts';
import type { Child } from '../lib/child.ts';
import { machineFacts } from '../lib/machine.ts';
import { publish } from '../lib/publish.ts';
import { withSession, type Session } from '../lib/session.ts';
import { BUCKET_PEERS, FILE_PEERS, PARTS_PEERS, PICTURE_PEERS, type UploadPeer } from './peers.ts';
import type { SenderQuestions } from './questions.ts';
import { reportBucket, reportFiles, reportParts, reportPictures, type LoadFigures } from './report.ts';
import { runUploadRound, type Load } from './round.ts';

/** Defaults of the options. `parts` 2 measures only tus in parts, and 3 only the ways to a bucket. */
const defaults = { mib: 1024, files: 16, each: 32, pictures: 4000, connections: 32, rounds: 5, parts: 1 };
const quick = { mib: 64, files: 4, each: 8, pictures: 400, rounds: 1 };

/** The figures of each kind of load. */
interface Figures {
  whole: LoadFigures[];
  inParts: LoadFigures[];
  pictures: LoadFigures[];
  bucket: LoadFigures[];
}

const MIB = 2 ** 20;
const PICTURE_BYTES = 100_000;

/** The bucket keeps all files in memory. */
const MOST_BUCKET_MIB = 256;

/** The number of bytes that are enough to compile the code for a large file. */
const WARM_UP_BYTES = 64 * MIB;
/** The share of the small requests that warm up. They run more code, so they need more of that than large files. */
const WARM_UP_SHARE = 0.25;

/** Measures the cost of receiving files, from the socket to the disk, and of queueing pictures. */
export const upload: Bench = {
  name: 'upload',
  summary: 'one large file, several at once, and pictures to the queue, beside other servers that take uploads',
  defaults,
  quick,
  async run(args) {
    const options = parseOptions(args, defaults, quick);
    const facts = await machineFacts();
    await withSession(async (session) => {
      const sender = session.start<SenderQuestions>('../upload/children/sender');
      const files = [fileLoad(1, options.mib), fileLoad(options.files, options.each)];
      const titles = [titleOf(1, options.mib, options), titleOf(options.files, options.each, options)];
      const figuresOf = (peers: readonly UploadPeer[], what = ''): LoadFigures[] =>
        files.map((load, index) => ({ title: `${what}${titles[index] ?? ''}`, load, peers: none(peers) }));
      const inParts = figuresOf(PARTS_PEERS, 'tus in parts of 8 MiB: ');
      const isAll = options.parts === 1;
      const bucketLoad = fileLoad(1, Math.min(options.mib, MOST_BUCKET_MIB));
      const bucketTitle = `a bucket in memory: ${titleOf(1, bucketLoad.bytes / MIB, options)}`;
      const bucket = { title: bucketTitle, load: bucketLoad, peers: none(BUCKET_PEERS) };
      const pictures = { title: pictureTitle(options), load: pictureLoad(options), peers: none(PICTURE_PEERS) };
      const figures: Figures = {
        whole: isAll ? figuresOf(FILE_PEERS) : [],
        inParts: options.parts === 3 ? [] : inParts,
        pictures: isAll ? [pictures] : [],
        bucket: options.parts === 2 ? [] : [bucket],
      };
      onInterrupt(() => reportAll(facts, figures));
      await runAll(session, sender, Object.values(figures).flat(), options);
      await publish('upload', options, reportAll(facts, figures));
    });
  },
};

function reportAll(facts: string, { whole, inParts, pictures, bucket }: Figures): string {
  const files = [...whole.map(reportFiles), ...inParts.map(reportParts)];
  const reports = [...files, ...pictures.map(reportPictures), ...bucket.map(reportBucket)];
  return [facts, ...reports].join('\n\n');
}

function none(peers: readonly UploadPeer[]): LoadFigures['peers'] {
  return peers.map((peer) => ({ peer, rounds: [] }));
}

function titleOf(files: number, mib: number, { rounds }: typeof defaults): string {
  const what = files === 1 ? 'one file' : `${files} files at once`;
  return `${what} of ${mib} MiB; medians of ${rounds} rounds, each with a new server`;
}

function pictureTitle({ pictures, connections, rounds }: typeof defaults): string {
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

function pictureLoad({ pictures, connections }: typeof defaults): Load {
  const warmUp = { files: Math.ceil(pictures * WARM_UP_SHARE), bytes: PICTURE_BYTES };
  return { files: pictures, bytes: PICTURE_BYTES, connections, keepsFiles: true, warmUp };
}

/** Runs the rounds. In each round all peers run each load in turn. */
async function runAll(
  session: Session,
  sender: Child<SenderQuestions>,
  figures: readonly LoadFigures[],
  options: typeof defaults & CommonOptions,
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
