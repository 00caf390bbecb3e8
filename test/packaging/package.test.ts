// The npm package: what `npm pack` puts into it, installed by `npm install -g` without a network, and its command started by
// this Node and by an older one where the machine has one.

import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import t from 'tap'
import manifest from '../../package.json' with { type: 'json' }
import { installedPackages } from '../../scripts/sbom.ts'
import { makeAuthority } from '../support/certificates.ts'
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { spawnSeamark } from '../support/seamark.ts'
import { activated, cannotPass, openSocket } from '../support/service-manager.ts'
import { buildBundle, ROOT, run } from './bundle.ts'

/** Another Node on the PATH, older than the oldest that runs the bundle. */
async function olderNode(): Promise<string | undefined> {
  for (const bin of new Set((process.env.PATH ?? '').split(delimiter))) {
    const node = join(bin, 'node')
    if (!existsSync(node)) continue
    const { stdout } = await run(node, ['--version'])
    const major = Number.parseInt(stdout.slice(1), 10)
    if (major >= 18 && major < 24) return node
  }
  return undefined
}

const older = await olderNode()
const folder = mkdtempSync(join(tmpdir(), 'seamark-package-'))
t.teardown(() => rmSync(folder, { recursive: true }))

// Packed from a copy, so that the build of this test is not written into the project.
const staged = join(folder, 'staged')
for (const path of ['package.json', 'README.md', 'LICENSE', 'bin', 'config', 'docs']) {
  cpSync(join(ROOT, path), join(staged, path), { recursive: true })
}
await buildBundle(join(staged, 'dist'))
const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
  cwd: staged,
})
const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
// Without a network npm leaves out what is optional; anything else that it wanted would fail here.
const npmInstall = ['install', '--global', '--offline', '--no-audit', '--no-fund', '--prefix', folder]
await run('npm', [...npmInstall, '--cache', join(folder, 'cache'), join(folder, filename)], { cwd: folder })
const modules = join(folder, 'lib', 'node_modules')
const installed = join(modules, 'seamark')
const launcher = join(installed, 'bin', 'seamark.mjs')

/** The sizes of the files in a folder. */
const octetsOf = (folder: string): number[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(each => each.isFile())
    .map(each => statSync(join(each.parentPath, each.name)).size)

interface Failed extends Error {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const failing = (node: string, ...flags: string[]): Promise<Failed> =>
  run(node, [launcher, ...flags], { cwd: folder }).then(
    () => Promise.reject(new Error('ended with status 0')),
    (error: Failed) => error,
  )

const corefile = (port: number): string =>
  `.:${port} {\n  bind 127.0.0.1\n  kubernetes cluster.local {\n    manifests examples\n  }\n}\n`

t.test('holds the bundle, the command and the configuration, no sources', async t => {
  const paths = files.map(({ path }) => path)
  for (const path of [
    'LICENSE',
    'README.md',
    'bin/kubectl-seamark',
    'bin/seamark.mjs',
    'config/Corefile',
    'config/kubernetes/kustomization.yaml',
    'dist/re2js.cjs',
    'dist/seamark.mjs',
    'dist/serve.mjs',
    'dist/yaml.cjs',
    'docs/directives.md',
    'package.json',
  ]) {
    t.ok(paths.includes(path), path)
  }
  t.same(
    paths.filter(path => /\.ts$|^src\/|node_modules|^test\//.test(path)),
    [],
  )
  t.equal(manifest.bin.seamark, 'bin/seamark.mjs')
  await t.rejects(run(join(folder, 'bin', 'kubectl-seamark'), []), { code: 2 }, 'kubectl seamark: its usage')
  t.match(readFileSync(join(folder, 'share/man/man1/seamark.1'), 'utf8'), /^\.TH SEAMARK 1 /, 'man seamark')
})

t.test('brings koffi and nothing else, in 130 MB and 5 packages at most', async t => {
  t.same(readdirSync(modules), ['seamark'], 'what is not optional')
  t.notOk(existsSync(join(installed, 'node_modules')))
  const { dependencies = {}, optionalDependencies } = JSON.parse(
    readFileSync(join(installed, 'package.json'), 'utf8'),
  ) as Record<string, object>
  t.same(dependencies, {})
  t.same(Object.keys(optionalDependencies ?? {}), ['koffi'])
  // What npm takes of the others' binaries is that of the platform, which is what is installed here.
  const brought = [...installedPackages()].map(name => join(ROOT, 'node_modules', name)).filter(existsSync)
  t.ok(brought.length + 1 <= 5, `${brought.length + 1} packages`)
  const octets = [installed, ...brought].flatMap(octetsOf).reduce((sum, each) => sum + each, 0)
  t.ok(octets <= 130e6, `${(octets / 1e6).toFixed(1)} MB`)
})

t.test('has what is loaded when it is needed: patterns, YAML, a kubeconfig', async t => {
  const cert = makeAuthority().issue('localhost')
  writeFileSync(join(folder, 'server.crt'), cert.cert)
  writeFileSync(join(folder, 'server.key'), cert.key)
  writeFileSync(
    join(folder, 'web.yml'),
    'tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n',
  )
  writeFileSync(
    join(folder, 'needs'),
    '.:1053 {\n  rewrite name regex (.*)\\.a\\.org\\. {1}.b.org\n  prometheus localhost:9153 {\n    tls web.yml\n  }\n}\n',
  )
  t.match((await run(process.execPath, [launcher, 'check', 'needs'], { cwd: folder })).stdout, '0 errors')
  writeFileSync(join(folder, 'config.yml'), 'apiVersion: v1\nkind: Config\n')
  writeFileSync(
    join(folder, 'Corefile'),
    `.:${await freePort()} {\n  bind 127.0.0.1\n  kubernetes cluster.local {\n    kubeconfig config.yml\n  }\n}\n`,
  )
  const { code, stderr } = await failing(process.execPath)
  t.equal(code, 1)
  t.match(stderr, /reading kubeconfig .*config\.yml: no context/)
})

cpSync(join(ROOT, 'config', 'examples'), join(folder, 'examples'), { recursive: true })
writeFileSync(join(folder, 'good'), corefile(1053))
writeFileSync(join(folder, 'bad'), '.:1053 {\n  kubernets\n}\n')

const nodePackage = join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`)

if (older !== undefined) {
  t.test('an older Node without the package that brings a newer one says so', async t => {
    const { code, stderr } = await failing(older, '-version')
    t.equal(code, 1)
    t.match(
      stderr,
      /^seamark: Node 24 or newer is needed, this is \S+; npm install -g node-\S+@24 brings one\n$/,
    )
  })
}
t.test('with the package that brings a newer one', async t => {
  if (existsSync(nodePackage)) symlinkSync(nodePackage, join(modules, basename(nodePackage)))
  t.equal(existsSync(join(modules, basename(nodePackage))), existsSync(nodePackage))
})

for (const [what, node] of [
  ['this Node', process.execPath],
  ['an older Node', existsSync(nodePackage) ? older : undefined],
] as const) {
  t.test(`started by ${what}`, { skip: node === undefined && 'there is none on the PATH' }, async t => {
    if (node === undefined) return
    const { stdout } = await run(node, [launcher, '-version'], { cwd: folder })
    t.match(stdout, `Seamark-${manifest.version}\n`)
    t.match((await run(node, [launcher, 'check', 'good'], { cwd: folder })).stdout, '0 errors')
    const bad = await failing(node, 'check', 'bad')
    t.equal(bad.code, 1)
    t.match(bad.stdout, 'kubernets')

    const port = await freePort()
    writeFileSync(join(folder, 'Corefile'), corefile(port))
    const server = spawnSeamark([], { cwd: folder, command: [node, launcher] })
    t.teardown(() => server.stop('SIGKILL'))
    await server.printed(/^Seamark-/m)
    const name = 'my-linkedin-headless-service.default.svc.cluster.local'
    t.equal((await query(port, { name })).rcode, 'NOERROR')
    server.child.kill('SIGHUP')
    await server.printed('SIGHUP is ignored')
    t.equal(await server.stop(), 0, 'SIGTERM reaches the server, and its status the caller')

    if (cannotPass) return
    const koffi = join(modules, 'koffi')
    if (!existsSync(koffi)) symlinkSync(join(ROOT, 'node_modules', 'koffi'), koffi)
    // Nobody else can have the port, and the server did not open it.
    const passed = [openSocket({ transport: 'udp', address: '127.0.0.1', port })]
    t.teardown(() => passed.forEach(closeSync))
    const command = activated({ LISTEN_PID: '$$', LISTEN_FDS: '1' })([node, launcher])
    const active = spawnSeamark([], { cwd: folder, command, passed })
    t.teardown(() => active.stop('SIGKILL'))
    await active.printed(/^Seamark-/m)
    t.equal((await query(port, { name })).rcode, 'NOERROR', 'sockets of systemd come to the server')
    t.equal(await active.stop(), 0)
  })
}
