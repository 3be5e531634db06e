import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { SECTIONS } from '../../src/settings/sections.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { WorkerMetrics } from '../../src/telemetry/worker-metrics.ts';
import { METRIC_READINGS } from '../helpers/metric-readings.ts';

const SETTINGS: ReadonlySet<string> = new Set(SECTIONS.flatMap(({ settings }) => Object.keys(settings)));

/** Names in capitals that are no settings of the service. */
const OTHERS: ReadonlySet<string> = new Set([
  'AWS_SECRET_ACCESS_KEY',
  'NODE_ENV',
  'NODE_IMAGE',
  'UV_THREADPOOL_SIZE',
  'BASE_IMAGE',
  'AF_INET',
  'AF_INET6',
  'AF_UNIX',
  'BUILDAH_FORMAT',
  'PROXY_RESOLVER',
]);

const dockerfile = readFileSync('Dockerfile', 'utf8');
const finalStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Returns `test`, or `test.skip` if the program is not installed. */
function testWith(program: string): typeof test.skip {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined ? test : test.skip;
}

describe('the deploy files', () => {
  test.each(['Dockerfile', 'compose.yaml', ...filesBelow('deploy')])('%s names only settings that exist', (path) => {
    const names = readFileSync(path, 'utf8').match(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g) ?? [];
    expect(names.filter((name) => !SETTINGS.has(name) && !OTHERS.has(name))).toEqual([]);
  });

  test.each(['compose.yaml', ...filesBelow('deploy').filter((path) => /(?<!templates\/.*)\.(yaml|json)$/.test(path))])(
    '%s can be parsed',
    async (path) => {
      await expect(format(readFileSync(path, 'utf8'), { filepath: path })).resolves.toBeDefined();
    },
  );

  test('ask only for metrics that exist', async () => {
    const ofWorker = new WorkerMetrics({ ...METRIC_READINGS, running: () => 0, isPaused: () => false });
    const all = (await new Metrics(METRIC_READINGS).text()) + (await ofWorker.text());
    const registered = all.matchAll(/^# TYPE (\S+) (\S+)$/gm);
    const known = new Set([...registered].flatMap(([, name = '']) => [name, `${name}_bucket`]));
    const { panels } = JSON.parse(readFileSync('deploy/monitoring/grafana-dashboard.json', 'utf8')) as {
      panels: { targets: { expr: string }[] }[];
    };
    const rules = [
      ...readFileSync('deploy/monitoring/alerts.yaml', 'utf8').matchAll(/expr: (?:>-\s+)?([\s\S]+?)for:/g),
    ];
    const scaling = /query: (.*)/.exec(readFileSync('deploy/helm/templates/autoscaling.yaml', 'utf8'))?.[1] ?? '';
    const asked = [
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...rules.map(([, expr]) => expr),
    ];
    expect(asked.length).toBeGreaterThan(20);
    const names = [...asked, scaling].flatMap(
      (expr = '') => expr.match(/\b(http|deferred|queue|workers|uploads|webhooks?)_[a-z_]+/g) ?? [],
    );
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  test('give each process more time to stop than its settings need', () => {
    const values = readFileSync('deploy/helm/values.yaml', 'utf8');
    const numberOf = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1]);
    const graceMs = numberOf(values, /SHUTDOWN_GRACE_MS: '(\d+)'/);
    const delayMs = numberOf(values, /SHUTDOWN_DELAY_MS: '(\d+)'/);
    const [apiS = 0, workerS = 0] = [...values.matchAll(/terminationGracePeriodSeconds: (\d+)/g)].map(([, s]) =>
      Number(s),
    );
    expect(apiS * 1000).toBeGreaterThanOrEqual(graceMs + delayMs + 5000);
    expect(workerS * 1000).toBeGreaterThanOrEqual(graceMs + 5000);
    const compose = readFileSync('compose.yaml', 'utf8');
    const neededMs = numberOf(compose, /GRACE_MS: '(\d+)'/) + numberOf(compose, /DELAY_MS: '(\d+)'/) + 5000;
    expect(numberOf(compose, /stop_grace_period: (\d+)s/) * 1000).toBeGreaterThanOrEqual(neededMs);
  });

  test('check the health of API and worker containers, which compose --wait needs', () => {
    expect(readFileSync('compose.yaml', 'utf8')).not.toMatch(/disable: true/);
    expect(finalStage).toMatch(/^ENV .*\bMETRICS_PORT=/m);
    expect(finalStage).toMatch(/check\(process\.env\.PORT\), check\(process\.env\.METRICS_PORT\)/);
  });

  test('keep the number of workers while the metric is missing', () => {
    expect(readFileSync('deploy/helm/templates/autoscaling.yaml', 'utf8')).toMatch(/^ {8}ignoreNullValues: 'false'$/m);
  });

  test('stop each compose service with a grace period, because the default of Podman is 0 seconds', () => {
    const [, services = ''] = /^services:\n([\s\S]*?)^\w/m.exec(readFileSync('compose.yaml', 'utf8')) ?? [];
    const parts = services.split(/^ {2}(?=\w)/m).filter((part) => part.trim() !== '');
    expect(parts.length).toBe(4);
    expect(parts.filter((part) => !/stop_grace_period: |<<: \*service/.test(part))).toEqual([]);
  });

  test('give the proxy of compose each variable of its template', () => {
    const names = readFileSync('deploy/compose/nginx.conf', 'utf8').match(/(?<=\$\{)\w+/g);
    expect(names).toEqual(['PROXY_RESOLVER']);
    expect(readFileSync('compose.yaml', 'utf8')).toMatch(/^ {6}PROXY_RESOLVER: \$\{PROXY_RESOLVER:-127\.0\.0\.11\}$/m);
  });

  test('have a proxy that waits longer than the longest held response', () => {
    const longestMs = Number(/DEFERRED_MAX_TIMEOUT_MS=(\d+)/.exec(readFileSync('.env.example', 'utf8'))?.[1]);
    for (const path of ['deploy/compose/nginx.conf', 'deploy/proxies/nginx.conf', 'deploy/helm/values.yaml']) {
      const seconds = Number(/proxy[_-]read[_-]timeout:? '?(\d+)/.exec(readFileSync(path, 'utf8'))?.[1]);
      expect(seconds * 1000).toBeGreaterThan(longestMs);
    }
  });
});

describe('the Dockerfile', () => {
  test('copies files that exist and that .dockerignore lets through', () => {
    const allowed: readonly string[] = readFileSync('.dockerignore', 'utf8').match(/(?<=^!).*/gm) ?? [];
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((path) => !existsSync(path) || !allowed.includes(path))).toEqual([]);
  });

  test('ends with an image without npm and compilers, run by a user without rights', () => {
    expect(finalStage).toMatch(/^USER 10001$/m);
    expect(finalStage).toMatch(/^HEALTHCHECK /m);
    expect(finalStage).not.toMatch(/^FROM \$\{NODE_IMAGE\}|\b(npm|npx|gcc|make|build-essential|python3)\b/m);
    expect(finalStage).toMatch(/^ENTRYPOINT \["\/usr\/bin\/tini", "--", "node", "\/app\/dist\/scripts\/cli.js"\]$/m);
  });
});

describe('outside checks of the deploy files', () => {
  testWith('promtool')('promtool accepts the alert rules', () => {
    const { status, stdout } = spawnSync('promtool', ['check', 'rules', 'deploy/monitoring/alerts.yaml'], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  describe('helm', () => {
    const given = ['REDIS_URL=redis://redis:6379', 'STORAGE=s3://bucket/uploads', 'ACCESS=open'].map(
      (setting) => `settings.${setting}`,
    );
    const render = (set: readonly string[], values = '') =>
      spawnSync('helm', ['template', 'a', 'deploy/helm', '--set', set.join(','), '-f', '-'], {
        encoding: 'utf8',
        input: values,
      });

    testWith('helm')('renders the chart', () => {
      const { status, stdout, stderr } = render([...given, 'autoscaling.enabled=true', 'ingress.enabled=true']);
      expect([status, stderr]).toEqual([0, '']);
      for (const kind of ['Deployment', 'Service', 'ConfigMap', 'PodDisruptionBudget', 'ScaledObject', 'Ingress'])
        expect(stdout).toContain(`kind: ${kind}`);
    });

    testWith('helm')('writes large numbers of a values file as digits', () => {
      const { stdout } = render(
        given,
        'settings: { UPLOAD_MAX_BYTES: 10737418240 }\nworker: { settings: { ATTEMPT_TIMEOUT_MS: 3600000 } }\n',
      );
      expect(stdout).toContain('UPLOAD_MAX_BYTES: "10737418240"');
      expect(stdout).toMatch(/ATTEMPT_TIMEOUT_MS\s+value: "3600000"/);
    });

    testWith('helm')('needs the address of Redis, which may be in the Secret', () => {
      const without = given.slice(1);
      const { status, stderr } = render(without);
      expect([status, stderr]).toEqual([1, expect.stringContaining('settings.REDIS_URL is the address of Redis')]);
      expect(render([...without, 'secretName=uploads-secrets']).status).toBe(0);
      expect(render([...without, 'settings.REDIS_SENTINELS=sentinel:26379']).status).toBe(0);
    });

    testWith('helm')('refuses a chart without a choice who may create uploads', () => {
      const { status, stderr } = render(given.slice(0, 2));
      expect(status).toBe(1);
      expect(stderr).toContain('accessFile.secretName');
    });
  });
});
