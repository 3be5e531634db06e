import type { ClientQuestions } from '../../children/clients.ts';
import type { Child } from '../../lib/child.ts';
import { SERVICE_TARGETED, startPeer } from '../../lib/peer.ts';
import type { Session } from '../../lib/session.ts';
import { sum } from '../../lib/statistics.ts';
import { runHoldRound } from '../../hold/round.ts';
import { runRound } from '../../wake/round.ts';
import type { ReaderQuestions } from '../children/event-reader.ts';
import { startCrowd } from '../lib/crowd.ts';
import type { RedisMeter } from '../lib/redis-meter.ts';
import type { AnswerCost, EventCost } from './costs.ts';

const READERS = 6;
const LOAD = { perSecond: 3000, seconds: 3 };
/** The number of uploads. There are enough of them that each is polled again before its next event. */
const POLLED = 1000;
const ANSWERS = { events: 3000, perSecond: 1500 };
const HELD = 4000;

/** Measures the cost of one more reader of the stream: many readers compared with none. */
export async function measureEvents(
  session: Session,
  meter: RedisMeter,
): Promise<{ event: EventCost; redisUs: number }> {
  const crowd = await startCrowd(session, {});
  await crowd.fire(LOAD);
  await meter.begin();
  const unread = await crowd.fire(LOAD);
  const [redisUs, bytes] = [(await meter.cpuUs()) / unread.events, (await meter.sentBytes()) / unread.events];
  const readers = await Promise.all(Array.from({ length: READERS }, () => startReader(session)));
  await crowd.fire(LOAD);
  const cpuUs = async () => sum(await Promise.all(readers.map((reader) => reader.ask('cpuUs'))));
  const before = await cpuUs();
  await meter.begin();
  const read = await crowd.fire(LOAD);
  const [readUs, readBytes] = [(await meter.cpuUs()) / read.events, (await meter.sentBytes()) / read.events];
  const readerUs = ((await cpuUs()) - before) / read.events / READERS;
  await Promise.all([crowd.end(), ...readers.map((reader) => reader.end())]);
  return {
    event: { redisUsPerReader: (readUs - redisUs) / READERS, bytesPerReader: (readBytes - bytes) / READERS, readerUs },
    redisUs,
  };
}

async function startReader(session: Session): Promise<Child<ReaderQuestions>> {
  const reader = session.start<ReaderQuestions>('../scale/children/event-reader');
  await reader.ask('start', session.redisUrl);
  return reader;
}

/**
 * Measures the cost of an answer, and the memory of a held response.
 * @param eventUs the cost in Redis of a change without readers
 */
export async function measureAnswers(
  session: Session,
  meter: RedisMeter,
  eventUs: number,
): Promise<{ answer: AnswerCost; heldBytes: number }> {
  const clients = session.start<ClientQuestions>('clients');
  const peer = await startPeer(session, SERVICE_TARGETED, POLLED, []);
  await runRound(peer, clients, ANSWERS);
  await meter.begin();
  const { serverUsPerEvent } = await runRound(peer, clients, ANSWERS);
  // Each upload has one event and one poll that are not timed.
  const redisUs = (await meter.cpuUs()) / (ANSWERS.events + POLLED) - eventUs;
  await peer.end();
  const many = await startPeer(session, SERVICE_TARGETED, HELD, []);
  const { rssKibPerHeld } = await runHoldRound(many, clients, { idleSeconds: 1, profile: undefined });
  await Promise.all([many.end(), clients.end()]);
  return { answer: { apiUs: serverUsPerEvent, redisUs }, heldBytes: rssKibPerHeld * 1024 };
}
