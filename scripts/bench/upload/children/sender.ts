import { photo } from '../../../../test/helpers/pictures.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import { sharedNowUs } from '../../lib/shared-clock.ts';
import { FileSender, type SentFile } from '../lib/file-sender.ts';
import { requestFor } from '../lib/request-for.ts';
import type { SenderQuestions, Transfer } from '../questions.ts';

const US_PER_SECOND = 1e6;

/** The process of all clients. It sends files from memory that begin with a picture. */
serveQuestions<SenderQuestions>({
  async send(transfer) {
    const file = requestFor(transfer, await picture());
    const senders = await connectAll(transfer, file);
    const usageBefore = process.cpuUsage();
    const startedAtUs = sharedNowUs();
    let left = transfer.files;
    try {
      await Promise.all(
        senders.map(async (sender) => {
          while (left-- > 0) await sender.send();
        }),
      );
    } finally {
      for (const sender of senders) sender.close();
    }
    const seconds = (sharedNowUs() - startedAtUs) / US_PER_SECOND;
    const { user, system } = process.cpuUsage(usageBefore);
    return { seconds, cpuUs: user + system };
  },
});

let made: Promise<Buffer> | undefined;

/** Makes a picture of just under 100 KB. */
function picture(): Promise<Buffer> {
  return (made ??= photo({ width: 480, height: 360, quality: 80 }));
}

async function connectAll({ port, connections }: Transfer, file: SentFile): Promise<FileSender[]> {
  return await Promise.all(Array.from({ length: connections }, () => FileSender.connect(port, file)));
}
