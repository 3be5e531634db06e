import { closeBroker } from './redis-on-demand.mjs';

/** Runs once after all suites. */
export default closeBroker;
