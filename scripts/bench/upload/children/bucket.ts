import { startS3Server } from '../../../../test/helpers/s3-server.ts';
import { serveQuestions } from '../../lib/serve-questions.ts';
import type { BucketQuestions } from '../questions.ts';

/** A bucket in memory, in a process of its own. */
serveQuestions<BucketQuestions>({
  async start() {
    const { url, bucket } = await startS3Server();
    return { url, bucket };
  },
});
