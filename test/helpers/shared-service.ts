import { afterAll } from '@jest/globals';
import { OTHER_MACHINE, startBrowser, type Browser } from './browser.ts';
import { startService, type Service } from './service.ts';

/*
 * A test file may consist of several suites, each a module that it imports. Their tests run one after the other, so
 * they share one service and one browser. Each starts with its first call and ends after the last test of the file.
 */

let service: Promise<Service> | undefined;
let browser: Promise<Browser> | undefined;

afterAll(async () => {
  await (await browser)?.close();
  await (await service)?.stop();
});

/**
 * Returns the service of this test file: default settings except for the host name of another machine, one API process
 * and one worker. The test file must not end it.
 */
export async function sharedService(): Promise<Service> {
  return await (service ??= startService({ env: { ALLOWED_HOSTS: OTHER_MACHINE } }));
}

/** Returns the browser of this test file. Each suite opens tabs of its own and leaves nothing in them. */
export async function sharedBrowser(): Promise<Browser> {
  return await (browser ??= startBrowser());
}
