import { parseArgs } from 'node:util';
import { addToAccessFile, isTenantName, newApiKey, newTicketKey } from './access-keys.mjs';

/*
 * Makes an API key of a tenant, or a key that signs tickets, for the access file (docs/access.md).
 *
 *   npm run key -- <tenant>                     prints an API key and its line for the access file
 *   npm run key -- <tenant> --ticket            prints the line of a new ticket key
 *   npm run key -- <tenant> --file access.json  adds the line to the file, and prints only the secret
 */

// npm sets this variable for `npm run key`. An installed package has no such script.
const COMMAND = process.env['npm_lifecycle_event'] === 'key' ? 'npm run key --' : 'npx deferred-uploads key';

const USAGE = `usage: ${COMMAND} <tenant> [--ticket] [--file <access file>]`;

main();

function main() {
  const { tenant, isForTickets, file } = readArguments();
  if (!isTenantName(tenant)) return fail(`${USAGE}\nA tenant is a name of 1 to 64 of a-z, 0-9 and -.`);
  try {
    if (isForTickets) printTicketKey(tenant, file);
    else printApiKey(tenant, file);
  } catch (error) {
    fail(`${file} cannot be changed: ${/** @type {Error} */ (error).message}`);
  }
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { ticket: { type: 'boolean', default: false }, file: { type: 'string' } },
    });
    const tenant = positionals.length === 1 ? positionals[0] : undefined;
    return { tenant, isForTickets: values.ticket, file: values.file };
  } catch {
    return { tenant: undefined, isForTickets: false, file: undefined };
  }
}

/**
 * @param {string} tenant
 * @param {string | undefined} file
 */
function printApiKey(tenant, file) {
  const { key, line } = newApiKey(tenant);
  if (file !== undefined) addToAccessFile(file, tenant, 'keys', line);
  process.stdout.write(`${key}\n`);
  if (file === undefined) process.stdout.write(`${asLine(line)}\n`);
  explain(
    `The API key of ${tenant} is shown only now.`,
    file === undefined ? `Add the line to tenants.${tenant}.keys in the access file.` : `Its digest is in ${file}.`,
  );
}

/**
 * @param {string} tenant
 * @param {string | undefined} file
 */
function printTicketKey(tenant, file) {
  const line = newTicketKey(tenant);
  if (file !== undefined) addToAccessFile(file, tenant, 'tickets', line);
  process.stdout.write(`${asLine(line)}\n`);
  explain(
    `The secret signs tickets of ${tenant}, so keep it secret.`,
    file === undefined
      ? `Add the line to tenants.${tenant}.tickets in the access file.`
      : `The line is also in ${file}.`,
  );
}

/** @param {object} line */
function asLine(line) {
  const members = Object.entries(line).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `{ ${members.join(', ')} }`;
}

/** @param {readonly string[]} sentences */
function explain(...sentences) {
  process.stderr.write(`${sentences.join(' ')}\n`);
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
