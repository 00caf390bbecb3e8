// The bundle: complete in its folder, and serving as the sources do.

import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import manifest from '../../package.json' with { type: 'json' }
import { bundledPackages } from '../../scripts/bundle.ts'
import { query } from '../support/dns-client.ts'
import { FakeApiServer } from '../support/fake-api-server.ts'
import { populate } from '../support/fake-objects.ts'
import { freePort } from '../support/free-port.ts'
import { spawnSeamark } from '../support/seamark.ts'
import { buildBundle, ROOT, run } from './bundle.ts'

// Outside of the project, so that nothing is found in its node_modules.
const folder = mkdtempSync(join(tmpdir(), 'seamark-bundle-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const dist = join(folder, 'dist')
await buildBundle(dist)
const command = [process.execPath, join(dist, 'seamark.mjs')]

t.test('holds what must lie beside it and nothing else', async t => {
  const files = readdirSync(dist).filter(file => file !== 'node_modules')
  t.ok(files.includes('seamark.mjs'))
  t.ok(files.includes('serve.mjs'))
  t.ok(
    files.some(file => file.startsWith('kubeconfig-')),
    'reading a kubeconfig is a part of its own',
  )
  t.same(
    files.filter(file => !/\.[cm]js$/.test(file)),
    ['LICENSES.txt'],
  )
  const beside = globSync('node_modules/**/*.{cc,hh,md,ts}', { cwd: dist })
  t.same(
    beside.filter(file => !file.endsWith('README.md')),
    [],
  )
})

t.test('has the licences of all packages whose code is in it', async t => {
  const text = readFileSync(join(dist, 'LICENSES.txt'), 'utf8')
  const bundled = [...(await bundledPackages())].map(folder => folder.replace('node_modules/', ''))
  for (const name of ['@kubernetes/client-node', 'lru-cache', 'ms', 'yaml'])
    t.ok(bundled.includes(name), name)
  for (const name of bundled) {
    const section = text.split(/^-{80}$/m)
    const title = section.findIndex(line => line.trim().startsWith(`${name} `))
    t.match(section[title + 1], /permission|licen[cs]e/i, name)
  }
})

t.test('says its version', async t => {
  const { stdout } = await run(command[0]!, [command[1]!, '-version'], { cwd: folder })
  t.match(stdout, `Seamark-${manifest.version}\n`)
})

t.test("finds koffi's binary beside it", async t => {
  const require = createRequire(join(dist, 'seamark.mjs'))
  try {
    createRequire(import.meta.url).resolve('koffi')
  } catch {
    t.comment('koffi is not installed here: the bundle does without it')
    return
  }
  t.ok(require.resolve('koffi').startsWith(dist), 'of its own, not of the project')
  const { stdout } = await run(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import koffi from ${JSON.stringify(join(dist, 'node_modules/koffi/index.js'))}; console.log(koffi.version)`,
    ],
    { cwd: folder },
  )
  t.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

const sources = [process.execPath, '--disable-warning=ExperimentalWarning', join(ROOT, 'src', 'main.ts')]
/** The other tests of the process start the bundle; that `npm start` and the bundle are one server is seen here. */
for (const [what, program] of Object.entries({ 'the bundle': command, 'the sources': sources })) {
  t.test(`${what}: serves a folder of manifests, and stops when told`, async t => {
    const port = await freePort()
    cpSync(join(ROOT, 'config', 'examples'), join(folder, 'examples'), { recursive: true })
    writeFileSync(
      join(folder, 'Corefile'),
      `.:${port} {\n  bind 127.0.0.1\n  kubernetes cluster.local {\n    manifests examples\n  }\n}\n`,
    )
    const server = spawnSeamark([], { cwd: folder, command: program })
    t.teardown(() => server.stop('SIGKILL'))
    await server.printed(/^Seamark-/m)
    const reply = await query(port, { name: 'my-linkedin-headless-service.default.svc.cluster.local' })
    t.equal(reply.rcode, 'NOERROR')
    t.not(reply.answer.length, 0)
    t.equal(await server.stop(), 0)
  })

  t.test(`${what}: watches an API server by a kubeconfig`, async t => {
    const api = new FakeApiServer({ port: 0 })
    populate(api.cluster, { namespaces: 1, services: 2, slices: 1, endpoints: 1 })
    await api.listen()
    t.teardown(() => api.close())
    const port = await freePort()
    writeFileSync(
      join(folder, 'kubeconfig'),
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'fake', cluster: { server: api.url } }],
        users: [{ name: 'fake', user: {} }],
        contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
      }),
    )
    writeFileSync(
      join(folder, 'Corefile'),
      `.:${port} {\n  bind 127.0.0.1\n  kubernetes cluster.local {\n    kubeconfig kubeconfig fake\n  }\n}\n`,
    )
    const server = spawnSeamark([], { cwd: folder, command: program })
    t.teardown(() => server.stop('SIGKILL'))
    await server.printed(/^Seamark-/m)
    const reply = await query(port, { name: 'service-0.ns-0.svc.cluster.local' })
    t.equal(reply.rcode, 'NOERROR', server.output())
    t.equal(await server.stop(), 0)
  })
}
