import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

/** Only the owner may read a file with secrets. */
const SECRET_FILE_MODE = 0o600;

/** @param {string | undefined} name */
export function isTenantName(name) {
  return name !== undefined && /^[a-z0-9-]{1,64}$/.test(name);
}

/** @param {string} tenant */
export function newApiKey(tenant) {
  const key = `du_${tenant}_${randomBytes(32).toString('base64url')}`;
  const sha256 = createHash('sha256').update(key).digest('hex');
  return { key, line: { id: `k${randomBytes(4).toString('hex')}`, sha256 } };
}

/** @param {string} tenant */
export function newTicketKey(tenant) {
  const kid = `${tenant}-${randomBytes(4).toString('hex')}`;
  return { kid, alg: 'HS256', secret: randomBytes(32).toString('base64url') };
}

/**
 * Adds the line to the list of the tenant. Creates the file and the tenant if they are missing. The file is replaced as
 * a whole, so that a process that reads it never sees a part of it.
 * @param {string} path
 * @param {string} tenant
 * @param {'keys' | 'tickets'} list
 * @param {object} line
 */
export function addToAccessFile(path, tenant, list, line) {
  const { text, mode } = read(path);
  const content = JSON.parse(text.replace(/^\uFEFF/, ''));
  const entry = memberOf(memberOf(content, 'tenants', {}), tenant, {});
  memberOf(entry, list, []).push(line);
  const next = `${path}.${process.pid}.new`;
  writeFileSync(next, `${JSON.stringify(content, undefined, 2)}\n`, { mode });
  renameSync(next, path);
}

/**
 * Returns the member, after it was added if it is missing. A tenant may be called `constructor`.
 * @param {any} parent
 * @param {string} name
 * @param {object} empty
 */
function memberOf(parent, name, empty) {
  if (!Object.hasOwn(parent, name)) parent[name] = empty;
  return parent[name];
}

/** @param {string} path */
function read(path) {
  try {
    return { text: readFileSync(path, 'utf8'), mode: statSync(path).mode & 0o777 };
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    return { text: '{}', mode: SECRET_FILE_MODE };
  }
}
