import { ensureBuild, TEST_BUILD } from '../../scripts/setup/build.mjs';
import { openBroker } from './redis-on-demand.mjs';

/** Runs once before all suites. */
export default async function setUp() {
  // The processes that tests start never run older code than the tests have.
  await ensureBuild(TEST_BUILD, (line) => console.error(`setup: ${line} for the tests`));
  await openBroker();
}
