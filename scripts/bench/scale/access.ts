import { parseAccessFile } from '../../../src/access/access-file.ts';
import { Tenants } from '../../../src/access/tenants.ts';
import { checkTicket } from '../../../src/access/tickets.ts';
import { keyEntry, newApiKey, newSecret, newTicket } from '../../../test/helpers/access-file.ts';
import { onInterrupt } from '../lib/bench.ts';
import { median } from '../lib/statistics.ts';
import { figure, formatTable, formatTargets } from '../lib/table.ts';
import type { Part } from './lib/part.ts';

/** The number of credentials of each kind. They differ, because a check that is repeated could be faster. */
const CREDENTIALS = 500;
const ROUNDS = 15;

/** The microseconds of each round per credential, by the kind of check. */
type Costs = Map<string, number[]>;

/** The most that the check of a ticket with HS256 may cost. */
const MOST_TICKET_US = 100;

/** Measures the processor time of this process for one ticket, and for valid, wrong and unknown API keys. */
export const access: Part = {
  name: 'access',
  summary: 'processor time for the check of a ticket and of API keys',
  async run(_session, { tenants: count }) {
    const secret = newSecret();
    const names = Array.from({ length: count }, (_, index) => `t${index}`);
    const keys = names.map((name) => ({ name, apiKey: newApiKey(name) }));
    const entries = keys.map(({ name, apiKey }) => [name, { keys: [keyEntry('k', apiKey)] }]);
    const signing = { tickets: [{ kid: 'hs', alg: 'HS256', secret }] };
    const file = { tenants: { ...Object.fromEntries(entries), signing } };
    const tenants = await Tenants.from(parseAccessFile(JSON.stringify(file)));
    const upload = { maxFiles: 10, maxFileBytes: 1e7, types: ['image/*'], metadata: { album: 'x'.repeat(100) } };
    const tickets = await Promise.all(of((index) => newTicket('hs', secret, { jti: `ticket-${index}`, upload })));
    const find = (apiKeys: readonly string[]) => async () => {
      for (const apiKey of apiKeys) tenants.findApiKey(apiKey);
    };
    const costsUs: Costs = new Map();
    const report = () => reportAccess(costsUs, count);
    onInterrupt(report);
    await measure(costsUs, {
      'ticket, HS256': async () => {
        for (const ticket of tickets) await checkTicket(tenants, ticket, Date.now());
      },
      'API key, valid': find(of((index) => keys[index % count]?.apiKey ?? '')),
      'API key, wrong for its tenant': find(of((index) => newApiKey(names[index % count] ?? ''))),
      'API key, unknown tenant': find(of((index) => newApiKey(`nobody-${index}`))),
    });
    return report();
  },
};

function reportAccess(costsUs: Costs, tenants: number): string {
  const rows = [...costsUs].map(([name, values]) => [name, `${figure(median(values), 2)} µs`]);
  const ticketUs = median(costsUs.get('ticket, HS256') ?? []);
  return [
    formatTable([`processor time of a check, ${tenants} tenants`, ''], rows),
    formatTargets([{ what: 'check of a ticket, µs', value: ticketUs, most: MOST_TICKET_US, digits: 1 }]),
  ].join('\n\n');
}

function of<Made>(make: (index: number) => Made): Made[] {
  return Array.from({ length: CREDENTIALS }, (_, index) => make(index));
}

/** Measures all rounds. The kinds take turns, so other load affects all of them. */
async function measure(costsUs: Costs, kinds: Readonly<Record<string, () => Promise<void>>>): Promise<void> {
  for (const name of Object.keys(kinds)) costsUs.set(name, []);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, run] of Object.entries(kinds)) {
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      // The first round warms up.
      if (round > 0) costsUs.get(name)?.push((user + system) / CREDENTIALS);
    }
  }
}
