import { median, medianRatio } from '../lib/statistics.ts';
import { figure, formatTable } from '../lib/table.ts';
import { formatLimits, type Limit } from './limits.ts';
import {
  FORMIDABLE,
  FORMIDABLE_SYNCED,
  KOA_MULTER,
  MULTER,
  SERVICE,
  SERVICE_PARTS,
  SERVICE_PARTS_UNSYNCED,
  SERVICE_PUT,
  SERVICE_PUT_BUCKET,
  SERVICE_PUT_UNHASHED,
  SERVICE_PUT_UNSYNCED,
  SERVICE_UNHASHED,
  SERVICE_UNSYNCED,
  TUS_PARTS,
  TUS_PARTS_SYNCED,
  type UploadPeer,
} from './peers.ts';
import type { Load, UploadFigures } from './round.ts';

/** All rounds of one load, peer by peer. */
export interface LoadFigures {
  title: string;
  load: Load;
  peers: { peer: UploadPeer; rounds: UploadFigures[] }[];
}

const MIB = 2 ** 20;
const MB = 1e6;
const GIB = 2 ** 30;
const MS_PER_SECOND = 1000;

const FASTER = 1.2;
const CPU_TO_FORMIDABLE = 0.85;
const CPU_TO_MULTER = 0.84;
const RSS_GROWTH_MIB = 32;
const FINISH_MS = 50;

const FILE_HEADINGS = [
  '',
  'MB/s',
  'server CPU s/GiB',
  'sender CPU s/GiB',
  'RSS growth MiB',
  'MB/s to formidable',
  'CPU to it',
  'MB/s to multer',
  'CPU to it',
];
const PARTS_HEADINGS = [
  '',
  'MB/s',
  'server CPU s/GiB',
  'RSS growth MiB',
  'sent to answer ms',
  'read to answer ms',
  'MB/s to @tus/server',
  'CPU to it',
  'MB/s to it with fsync',
];
const PICTURE_HEADINGS = ['', 'per second', 'server CPU ms', 'sender CPU ms', 'per CPU second, to Koa + multer'];

/** Returns the table and limits of large files. */
export function reportFiles({ title, load, peers }: LoadFigures): string {
  const gib = (load.bytes * load.files) / GIB;
  const rows = peers.map(({ peer, rounds }) => {
    const column = (pick: (round: UploadFigures) => number, digits: number) => figure(median(rounds.map(pick)), digits);
    const to = (other: UploadPeer) => [figure(speedTo(peers, peer, other), 2), figure(cpuTo(peers, peer, other), 2)];
    return [
      peer.title,
      column(({ seconds }) => (load.bytes * load.files) / MB / seconds, 0),
      column(({ serverSeconds }) => serverSeconds / gib, 2),
      column(({ senderSeconds }) => senderSeconds / gib, 2),
      column(({ rssGrowth }) => rssGrowth / MIB, 1),
      ...to(FORMIDABLE),
      ...to(MULTER),
    ];
  });
  return `${title}\n${formatTable(FILE_HEADINGS, rows)}\n\n${formatLimits(fileLimits(peers))}`;
}

/** Returns the table and limits of files that tus sends in parts. */
export function reportParts({ title, load, peers }: LoadFigures): string {
  const gib = (load.bytes * load.files) / GIB;
  const rows = peers.map(({ peer, rounds }) => {
    const column = (pick: (round: UploadFigures) => number, digits: number) => figure(median(rounds.map(pick)), digits);
    return [
      peer.title,
      column(({ seconds }) => (load.bytes * load.files) / MB / seconds, 0),
      column(({ serverSeconds }) => serverSeconds / gib, 2),
      column(({ rssGrowth }) => rssGrowth / MIB, 1),
      column(({ finishMs }) => finishMs, 1),
      column(({ endMs }) => endMs, 1),
      figure(speedTo(peers, peer, TUS_PARTS), 2),
      figure(cpuTo(peers, peer, TUS_PARTS), 2),
      figure(speedTo(peers, peer, TUS_PARTS_SYNCED), 2),
    ];
  });
  const own = roundsOf(peers, SERVICE_PARTS);
  const limits: Limit[] = [
    {
      what: 'MB/s to @tus/server: neither has fsync',
      value: speedTo(peers, SERVICE_PARTS_UNSYNCED, TUS_PARTS),
      least: 1,
    },
    { what: 'MB/s to @tus/server: both have fsync', value: speedTo(peers, SERVICE_PARTS, TUS_PARTS_SYNCED), least: 1 },
    { what: 'MB/s to @tus/server: only we have fsync', value: speedTo(peers, SERVICE_PARTS, TUS_PARTS), least: 1 },
    { what: 'ms from last byte sent to answer', value: median(own.map(({ finishMs }) => finishMs)), most: FINISH_MS },
    { what: 'ms from last byte read to answer', value: median(own.map(({ endMs }) => endMs)), most: FINISH_MS },
    {
      what: 'RSS growth in MiB',
      value: median(own.map(({ rssGrowth }) => rssGrowth / MIB)),
      most: RSS_GROWTH_MIB,
      digits: 1,
    },
  ];
  return `${title}\n${formatTable(PARTS_HEADINGS, rows)}\n\n${formatLimits(limits)}`;
}

/** Returns the table of the ways to a bucket. */
export function reportBucket({ title, load, peers }: LoadFigures): string {
  const gib = (load.bytes * load.files) / GIB;
  const rows = peers.map(({ peer, rounds }) => [
    peer.title,
    figure(median(rounds.map(({ serverSeconds }) => serverSeconds / gib)), 2),
    figure(median(rounds.map(({ rssGrowth }) => rssGrowth / MIB)), 1),
    figure(cpuTo(peers, peer, SERVICE_PUT_BUCKET), 2),
  ]);
  return `${title}\n${formatTable(['', 'API CPU s/GiB', 'RSS growth MiB', 'CPU to PUT'], rows)}`;
}

/** Returns the table and limit of queued pictures. */
export function reportPictures({ title, load, peers }: LoadFigures): string {
  const rows = peers.map(({ peer, rounds }) => {
    const column = (pick: (round: UploadFigures) => number, digits: number) => figure(median(rounds.map(pick)), digits);
    return [
      peer.title,
      column(({ seconds }) => load.files / seconds, 0),
      column(({ serverSeconds }) => (serverSeconds / load.files) * MS_PER_SECOND, 3),
      column(({ senderSeconds }) => (senderSeconds / load.files) * MS_PER_SECOND, 3),
      figure(1 / cpuTo(peers, peer, KOA_MULTER), 2),
    ];
  });
  const limit: Limit = {
    what: 'per CPU second, service to Koa + multer',
    value: 1 / cpuTo(peers, SERVICE, KOA_MULTER),
    least: FASTER,
  };
  return `${title}\n${formatTable(PICTURE_HEADINGS, rows)}\n\n${formatLimits([limit])}`;
}

function fileLimits(peers: LoadFigures['peers']): Limit[] {
  const hashed = [SERVICE, SERVICE_PUT, SERVICE_UNSYNCED, SERVICE_PUT_UNSYNCED];
  return [
    { what: 'MB/s to formidable: both have fsync', value: speedTo(peers, SERVICE, FORMIDABLE_SYNCED), least: FASTER },
    { what: 'MB/s to formidable: only we have fsync', value: speedTo(peers, SERVICE, FORMIDABLE), least: 1 },
    ...hashed.flatMap((one) =>
      limitsTo(peers, one, { name: 'formidable', peer: FORMIDABLE, mostCpu: CPU_TO_FORMIDABLE }),
    ),
    ...[SERVICE_UNHASHED, SERVICE_PUT_UNHASHED].flatMap((one) =>
      limitsTo(peers, one, { name: 'multer', peer: MULTER, mostCpu: CPU_TO_MULTER }),
    ),
  ];
}

function limitsTo(
  peers: LoadFigures['peers'],
  one: UploadPeer,
  other: { name: string; peer: UploadPeer; mostCpu: number },
): Limit[] {
  return [
    { what: `MB/s to ${other.name}: ${one.title}`, value: speedTo(peers, one, other.peer), least: FASTER },
    { what: `CPU to ${other.name}: ${one.title}`, value: cpuTo(peers, one, other.peer), most: other.mostCpu },
    {
      what: `RSS growth in MiB: ${one.title}`,
      value: median(roundsOf(peers, one).map(({ rssGrowth }) => rssGrowth / MIB)),
      most: RSS_GROWTH_MIB,
      digits: 1,
    },
  ];
}

function speedTo(peers: LoadFigures['peers'], one: UploadPeer, other: UploadPeer): number {
  const seconds = (peer: UploadPeer) => roundsOf(peers, peer).map((round) => round.seconds);
  return medianRatio(seconds(other), seconds(one));
}

function cpuTo(peers: LoadFigures['peers'], one: UploadPeer, other: UploadPeer): number {
  const seconds = (peer: UploadPeer) => roundsOf(peers, peer).map((round) => round.serverSeconds);
  return medianRatio(seconds(one), seconds(other));
}

function roundsOf(peers: LoadFigures['peers'], wanted: UploadPeer): readonly UploadFigures[] {
  return peers.find(({ peer }) => peer === wanted)?.rounds ?? [];
}
