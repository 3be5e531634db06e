import { heldInMetrics } from '../../../test/helpers/held-in-metrics.ts';
import { loadConfig } from '../../../src/settings/config.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { startApi } from '../../../src/server/services.ts';
import { serveQuestions } from '../lib/serve-questions.ts';
import { OWN_USAGE, type ServerQuestions } from '../lib/server-questions.ts';

let url = '';

/** A real API process with default settings, except for the requested ones. */
serveQuestions<ServerQuestions>({
  async start({ redisUrl, directory, maxHeld, settings }) {
    const config = loadConfig({
      PORT: '0',
      REDIS_URL: redisUrl,
      STORAGE: `file:${directory}`,
      DEFERRED_MAX_HELD: String(maxHeld),
      ...settings,
    });
    const api = await startApi(config, createLog('api', config));
    url = api.url;
    return Number(new URL(url).port);
  },
  async held() {
    return heldInMetrics(await (await fetch(`${url}/metrics`)).text());
  },
  ...OWN_USAGE,
});
