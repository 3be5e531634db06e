import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import { eventually } from './eventually.ts';
import { holdPort } from './hold-port.ts';

/** The proxies that the tests can run. */
export const PROXIES = ['nginx', 'haproxy', 'caddy', 'traefik'] as const;

/** A proxy in front of the service. */
export interface Proxy {
  readonly port: number;
  stop(): Promise<void>;
}

/** True if the program of the proxy is installed. */
export function isInstalled(name: string): boolean {
  return spawnSync(name, [name === 'nginx' || name === 'haproxy' ? '-v' : 'version']).error === undefined;
}

/**
 * Starts a proxy with its file of deploy/proxies, in which only addresses and paths are replaced. `target` is the
 * address of the API process.
 */
export async function startProxy(
  name: (typeof PROXIES)[number],
  target: string,
  certificates: Certificates,
): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'du-proxy-'));
  const held = await holdPort();
  const { port } = held;
  const [command, ...args] = prepare[name]({ directory, port, target: new URL(target).host, certificates });
  const child = spawn(command ?? name, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environmentIn(directory) });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const stop = async (): Promise<void> => {
    await end(child);
    held.release();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await eventually(`${name} to listen`, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${output}`);
      return await accepts(port);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, stop };
}

interface Place {
  directory: string;
  port: number;
  /** Host and port of the API process. */
  target: string;
  certificates: Certificates;
}

/** Functions that write the configuration of a proxy and return its command. */
const prepare: Record<(typeof PROXIES)[number], (place: Place) => string[]> = {
  nginx: ({ directory, port, target, certificates: { cert, key } }) => {
    const site = readExample('nginx.conf')
      .replace('listen 443 ssl http2', `listen 127.0.0.1:${port} ssl http2`)
      .replace('/etc/ssl/uploads.example.pem', cert)
      .replace('/etc/ssl/uploads.example.key', key)
      .replace(/server 10\.0\.0\.11:3000;\s+server 10\.0\.0\.12:3000;/, `server ${target};`);
    writeFileSync(join(directory, 'site.conf'), site);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${join(directory, kind)};`)
      .join(' ');
    const main = `daemon off; pid ${join(directory, 'pid')}; error_log stderr; events {}
http { access_log off; ${temporary} include ${join(directory, 'site.conf')}; }`;
    return ['nginx', '-p', directory, '-e', 'stderr', '-c', write(directory, 'nginx.conf', main)];
  },
  haproxy: ({ directory, port, target, certificates: { cert, key } }) => {
    const pem = write(directory, 'both.pem', readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'));
    const config = readExample('haproxy.cfg')
      .replace('bind :443', `bind 127.0.0.1:${port}`)
      .replace('/etc/haproxy/uploads.example.pem', pem)
      .replace('maxconn 50000', 'maxconn 500')
      .replace(/server api1 \S+ check\s+server api2 \S+ check/, `server api1 ${target} check`);
    return ['haproxy', '-db', '-f', write(directory, 'haproxy.cfg', config)];
  },
  caddy: ({ directory, port, target, certificates: { cert, key } }) => {
    const site = readExample('Caddyfile')
      .replace('uploads.example {', `https://uploads.example:${port} {\n\tbind 127.0.0.1\n\ttls ${cert} ${key}`)
      .replace('10.0.0.11:3000 10.0.0.12:3000', target);
    const config = `{\n\tadmin off\n\tauto_https off\n\tservers {\n\t\tprotocols h1 h2\n\t}\n}\n${site}`;
    return ['caddy', 'run', '--adapter', 'caddyfile', '--config', write(directory, 'Caddyfile', config)];
  },
  traefik: ({ directory, port, target, certificates: { cert, key } }) => {
    const site = readExample('traefik-uploads.yaml')
      .replace(/tls:\s+certResolver: letsencrypt/, 'tls: {}')
      .replace(/- url: \S+11:3000\s+- url: \S+12:3000/, `- url: http://${target}`);
    const certificate = `tls:\n  certificates:\n    - certFile: ${cert}\n      keyFile: ${key}\n`;
    const main = readExample('traefik.yaml')
      .replace("address: ':443'", `address: '127.0.0.1:${port}'`)
      .replace(/certificatesResolvers:[\s\S]*(?=serversTransport:)/, '')
      .replace('/etc/traefik/uploads.yaml', write(directory, 'uploads.yaml', `${site}${certificate}`));
    return ['traefik', `--configFile=${write(directory, 'traefik.yaml', main)}`];
  },
};

function readExample(name: string): string {
  return readFileSync(join('deploy/proxies', name), 'utf8');
}

function write(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** Returns the environment of a proxy. Its home is the directory, because Caddy keeps state there. */
function environmentIn(directory: string): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await exited;
  clearTimeout(timer);
}
