import { Agent } from 'node:http';
import { photo } from '../../../../test/helpers/pictures.ts';
import { eachAtOnce } from '../../lib/at-once.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import { sharedNowUs } from '../../lib/shared-clock.ts';
import { sendDirect } from '../lib/direct-sender.ts';
import { FileSender, type SentFile } from '../lib/file-sender.ts';
import { fileOf, requestFor } from '../lib/request-for.ts';
import { sendInParts } from '../lib/tus-sender.ts';
import type { SenderQuestions, Sent, Transfer } from '../questions.ts';

const US_PER_SECOND = 1e6;

/** The process of all clients. It sends files from memory that begin with a picture. */
serveQuestions<SenderQuestions>({
  async send(transfer) {
    if (transfer.form === 'direct') return await sendAllDirect(transfer);
    if (transfer.form === 'tus-parts') return await sendAllInParts(transfer);
    const file = requestFor(transfer, await picture());
    const senders = await connectAll(transfer, file);
    try {
      let left = transfer.files;
      return await measured(async () => {
        await Promise.all(
          senders.map(async (sender) => {
            while (left-- > 0) await sender.send();
          }),
        );
      });
    } finally {
      for (const sender of senders) sender.close();
    }
  },
});

async function sendAllInParts(transfer: Transfer): Promise<Sent> {
  const pieces = fileOf(transfer.bytes, await picture());
  const agent = new Agent({ keepAlive: true, maxSockets: transfer.connections });
  let finishMs = 0;
  try {
    const sent = await measured(() =>
      eachAtOnce(transfer.files, transfer.connections, async () => {
        finishMs = Math.max(finishMs, await sendInParts(agent, transfer, pieces));
      }),
    );
    return { ...sent, finishMs };
  } finally {
    agent.destroy();
  }
}

async function sendAllDirect(transfer: Transfer): Promise<Sent> {
  const pieces = fileOf(transfer.bytes, await picture());
  return await measured(() => eachAtOnce(transfer.files, transfer.connections, () => sendDirect(transfer, pieces)));
}

/** Measures the time of `work` and the processor time of this process. */
async function measured(work: () => Promise<unknown>): Promise<Sent> {
  const usageBefore = process.cpuUsage();
  const startedAtUs = sharedNowUs();
  await work();
  const seconds = (sharedNowUs() - startedAtUs) / US_PER_SECOND;
  const { user, system } = process.cpuUsage(usageBefore);
  return { seconds, cpuUs: user + system, finishMs: 0 };
}

let made: Promise<Buffer> | undefined;

/** Makes a picture of just under 100 KB. */
function picture(): Promise<Buffer> {
  return (made ??= photo({ width: 480, height: 360, quality: 80 }));
}

async function connectAll({ port, connections }: Transfer, file: SentFile): Promise<FileSender[]> {
  return await Promise.all(Array.from({ length: connections }, () => FileSender.connect(port, file)));
}
