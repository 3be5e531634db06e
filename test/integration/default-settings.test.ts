/* Suites that share one service with default settings. */
import './upload-life.ts';
import './openapi.ts';
import './readme-session.ts';
