/* Suites that share one service with default settings. Some of them add an API process with other settings to it. */
import './upload-life.ts';
import './openapi.ts';
import './readme-session.ts';
import './large-results.ts';
import './worker-hash.ts';
import './proxies.ts';
import './two-apis.ts';
