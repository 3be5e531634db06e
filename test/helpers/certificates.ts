import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string;
  /** Certificate for 127.0.0.1 and localhost. A client may use it too. */
  readonly cert: string;
  readonly key: string;
  remove(): void;
}

/** Makes a certificate authority and a certificate that it signed, with openssl. The caller removes them. */
export function makeCertificates(): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'du-tls-'));
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=test', '-days', '2');
  openssl('req', ...newKey, '-keyout', at('own.key'), '-out', at('own.csr'), '-subj', '/CN=localhost');
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', at('own.csr'), ...signing, '-extfile', at('names'), '-out', at('own.pem'));
  return {
    ca: at('ca.pem'),
    cert: at('own.pem'),
    key: at('own.key'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
