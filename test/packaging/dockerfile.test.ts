// The Dockerfile, walked as far as that goes without a container engine: its stages are read, what it copies is copied into
// an empty folder by .dockerignore's rules, the tree is made from that alone and is that of `npm run image`, and the image's
// program is run with the stock Deployment's arguments; as root also by uid 65532 on port 53, with the capability set as the
// Dockerfile sets it.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { platformNamed } from '../../scripts/image/platforms.ts'
import { withFolders } from '../../scripts/image/tar.ts'
import { layers } from '../../scripts/image/tree.ts'
import { RUN_CONFIG } from '../../scripts/image.ts'
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { spawnSeamark } from '../support/seamark.ts'
import { ROOT } from './bundle.ts'
import { lastStage, readStages, type Stage } from './dockerfile.ts'

const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
const stages = readStages(text)
const last = lastStage(stages)
const all = (stage: Stage, word: string): string[] =>
  stage.instructions.filter(one => one.word === word).map(one => one.rest)
const list = (json: string): string[] => JSON.parse(json) as string[]

/** What the context holds: .dockerignore here leaves everything out but the names that it lists. */
const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
const allowed = new Set(ignore.filter(line => line.startsWith('!')).map(line => line.slice(1)))
const folder = mkdtempSync(join(tmpdir(), 'seamark-image-'))
t.teardown(() => rmSync(folder, { recursive: true }))
chmodSync(folder, 0o755)

t.test('stages', async t => {
  t.same(
    stages.map(({ name }) => name),
    ['tree', ''],
  )
  t.match(stages[0]!.base, /^node:\d+-[\w.-]+$/, 'a tag is named')
  const major = /^node:(\d+)/.exec(stages[0]!.base)?.[1]
  t.ok(Number(major) >= 24, 'the Node of the stage runs TypeScript')
  t.equal(last.base, 'scratch')
})

t.test('no shell is asked for', async t => {
  for (const stage of stages) {
    for (const word of ['RUN', 'CMD', 'ENTRYPOINT']) {
      for (const rest of all(stage, word)) t.doesNotThrow(() => list(rest), `${word} ${rest}`)
    }
  }
  t.same(all(last, 'RUN'), [], 'the last image has nothing to run')
})

t.test('the last image runs as that of `npm run image` does', async t => {
  t.same(all(last, 'USER'), [RUN_CONFIG.User])
  t.same(all(last, 'ENTRYPOINT').map(list), [RUN_CONFIG.Entrypoint])
  t.same(all(last, 'CMD'), [], "the Deployment's args are all arguments")
  t.same(all(last, 'EXPOSE'), [Object.keys(RUN_CONFIG.ExposedPorts).join(' ')])
  t.same(all(last, 'ENV'), [RUN_CONFIG.Env.join(' ')])
  t.same(all(last, 'WORKDIR'), [RUN_CONFIG.WorkingDir])
  const labels = [...all(last, 'LABEL')[0]!.matchAll(/(\S+)="([^"]*)"/g)].map(([, key, value]) => [
    key,
    value,
  ])
  t.same(Object.fromEntries(labels), RUN_CONFIG.Labels)
  t.same(all(last, 'COPY'), ['--from=tree /out /'])
})

const NAME = 'my-linkedin-headless-service.default.svc.cluster.local'
const ADDRESS_53 = '127.53.0.1'

const server = (address: string, port: number): string =>
  `.:${port} {\n  bind ${address}\n  kubernetes cluster.local {\n    manifests ${folder}/examples\n  }\n}\n`

/** The stock Deployment's arguments, with this file in the place of the mounted one. */
function args(file: string): string[] {
  const yaml = readFileSync(join(ROOT, 'config', 'kubernetes', 'deployment.yaml'), 'utf8')
  const deployment = parse(yaml) as { spec: { template: { spec: { containers: { args: string[] }[] } } } }
  const words = deployment.spec.template.spec.containers[0]!.args
  return words.map(word => (word === '/etc/coredns/Corefile' ? file : word))
}

const image = join(folder, 'image')
/** The Dockerfile's words, with its folder for the tree being this one. */
const there = (word: string): string => word.replace(/^\/out(?=\/|$)/, image)

/** Makes the tree from what the Dockerfile copies; why that cannot be done here, or ''. */
async function makeTree(t: Test): Promise<string> {
  const context = join(folder, 'context')
  for (const rest of all(stages[0]!, 'COPY')) {
    const words = rest.split(' ')
    const target = words.pop()!
    for (const source of words) {
      t.ok(allowed.has(source), `.dockerignore lets ${source} in`)
      const to = normalize(target.endsWith('/') ? join(context, target, source) : join(context, target))
      mkdirSync(dirname(to), { recursive: true })
      cpSync(join(ROOT, source), to, { recursive: true })
    }
  }
  // In the image, scripts/install.mjs puts them there.
  t.ok(existsSync(join(context, 'scripts', 'install.mjs')))
  symlinkSync(join(ROOT, 'node_modules'), join(context, 'node_modules'))
  const build = list(all(stages[0]!, 'RUN').find(rest => rest.includes('image.ts'))!).map(there)
  const env = { ...process.env, TARGETARCH: 'amd64', NODE_OPTIONS: '' }
  const { status, stderr } = spawnSync(process.execPath, build.slice(1), {
    cwd: context,
    env,
    encoding: 'utf8',
  })
  if (status === EX_UNAVAILABLE) return stderr.trim()
  t.equal(status, 0, stderr)
  return ''
}

const EX_UNAVAILABLE = 69
let unavailable = ''
await t.test('the context is enough to make the tree from', async t => {
  unavailable = await makeTree(t)
  if (unavailable !== '') t.comment(`SKIPPED: ${unavailable}`)
})

/** Everything in a folder; a link is not followed. */
const walk = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(each => {
    const path = join(folder, each.name)
    return each.isDirectory() ? [path, ...walk(path)] : [path]
  })

await t.test('the tree is that of `npm run image`', { skip: unavailable }, async t => {
  const entries = (await layers(platformNamed('amd64'), new Date(0).toISOString())).flat()
  const expected = withFolders(entries)
  t.same(
    walk(image)
      .map(path => path.slice(image.length + 1))
      .sort(),
    expected.map(({ path }) => path).sort(),
  )
  for (const { path, kind, mode, content, target } of expected) {
    const stat = lstatSync(join(image, path))
    if (kind === 'link') t.equal(readlinkSync(join(image, path)), target, path)
    else t.equal(stat.mode & 0o7777, mode, path)
    if (kind === 'file') t.ok(readFileSync(join(image, path)).equals(content!), path)
  }
  const bill = JSON.parse(readFileSync(join(image, 'usr/share/doc/seamark/sbom.cdx.json'), 'utf8')) as {
    components: { name: string; group?: string; purl: string }[]
  }
  t.test('with the licences of all that its bill of materials names', async t => {
    const licences = readFileSync(join(image, 'seamark/LICENSES.txt'), 'utf8')
    const text = (path: string): string => readFileSync(join(image, path), 'utf8')
    t.match(text('usr/share/doc/seamark/LICENSE'), 'Apache License')
    t.ok(bill.components.length > 20)
    for (const { name, group, purl } of bill.components) {
      if (purl.startsWith('pkg:deb/')) t.match(text(`usr/share/doc/${name}/copyright`), /licen[sc]e/i, name)
      else if (name.startsWith('node-'))
        t.match(text('usr/share/doc/nodejs/copyright'), /Node\.js is licensed/)
      else if (/koffi/.test(name)) t.match(text('seamark/node_modules/koffi/LICENSE.txt'), /Permission/)
      else t.match(licences, new RegExp(`^${group ? `${group}/` : ''}${name} \\d`, 'm'), name)
    }
  })
})

await t.test('the image is enough to serve from', { skip: unavailable }, async t => {
  const corefile = join(folder, 'Corefile')
  const port = await freePort()
  cpSync(join(ROOT, 'config', 'examples'), join(folder, 'examples'), { recursive: true })
  writeFileSync(corefile, server('127.0.0.1', port))
  // Where the links in the image lead; its first line names the Node in the image.
  const script = join(image, readlinkSync(join(image, list(all(last, 'ENTRYPOINT')[0]!)[0]!)))
  t.match(readFileSync(script, 'utf8'), /^#!\/usr\/local\/bin\/node --[\w=-]+\n/)
  const seamark = spawnSeamark(args(corefile), { command: [process.execPath, script] })
  t.teardown(() => seamark.stop('SIGKILL'))
  await seamark.printed(`Seamark-${manifest.version}`)
  t.equal((await query(port, { name: NAME })).rcode, 'NOERROR')
  t.equal(await seamark.stop(), 0)
})

const setcap = all(stages[0]!, 'RUN')
  .map(list)
  .find(([program]) => program === 'setcap')!
const node = join(folder, 'node')

/** Why uid 65532 cannot be tried here, or an empty string. */
function obstacle(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root on Linux can set a capability'
  cpSync(process.execPath, node, { dereference: true })
  const { status, error } = spawnSync(setcap[0]!, [setcap[1]!, node])
  return status === 0 ? '' : `setcap does not work here: ${error?.message ?? `exit status ${status}`}`
}

const reason = unavailable || obstacle()
t.test('uid 65532 serves on port 53 by the file capability', { skip: reason }, async t => {
  const corefile = join(folder, 'Corefile.53')
  writeFileSync(corefile, server(ADDRESS_53, 53))
  const seamark = spawnSeamark(args(corefile), {
    command: [
      process.execPath,
      '-e',
      'process.setgid(65532); process.setuid(65532); process.execve(process.argv[1], process.argv.slice(1), process.env)',
      node,
      join(folder, 'image', 'seamark', 'seamark.mjs'),
    ],
    cwd: folder,
  })
  t.teardown(() => seamark.stop('SIGKILL'))
  await seamark.printed(`Seamark-${manifest.version}`)
  t.match(readFileSync(`/proc/${seamark.child.pid}/status`, 'utf8'), /^Uid:\t65532\t65532\t/m)
  t.equal((await query(53, { name: NAME, host: ADDRESS_53 })).rcode, 'NOERROR')
  t.equal(await seamark.stop(), 0)
})
