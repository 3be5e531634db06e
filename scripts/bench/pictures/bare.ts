import type { Session } from '../lib/session.ts';
import type { Contestant } from './contestant.ts';
import type { BareQuestions } from './questions.ts';

/** Converts the photos with only sharp: without upload, queue, record, durability or facts. */
export function bareSharp(session: Session): Contestant {
  const child = session.start<BareQuestions>('../pictures/children/bare');
  return { title: 'bare sharp script', convert: (batch) => child.ask('convert', batch), end: () => child.end() };
}
