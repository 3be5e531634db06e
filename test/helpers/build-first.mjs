import { ensureBuild, TEST_BUILD } from '../../scripts/setup/build.mjs';

/** Jest's global set-up: the processes that tests start never run older code than the tests have. */
export default async function buildFirst() {
  await ensureBuild(TEST_BUILD, (line) => console.error(`setup: ${line} for the tests`));
}
