// The Dockerfile, walked as far as that goes without a container engine: its stages are read, what it copies is copied into
// an empty folder by .dockerignore's rules, the bundle is built from that alone, and the image's command is run with the
// stock Deployment's arguments; as root also by uid 65532 on port 53, with the capability set as the Dockerfile sets it.

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { query } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { spawnSeamark } from '../support/seamark.ts'
import { ROOT, run } from './bundle.ts'
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
    ['bundle', 'node', ''],
  )
  for (const { base } of stages) t.match(base, /^[\w./-]+:[\w.-]+$/, 'a tag is named')
  const major = /^node:(\d+)/.exec(stages[1]!.base)?.[1]
  t.ok(Number(major) >= 24, 'the Node that is copied runs the bundle')
  t.match(last.base, /distroless/)
})

t.test('no shell is asked for', async t => {
  for (const stage of stages) {
    for (const word of ['RUN', 'CMD', 'ENTRYPOINT']) {
      for (const rest of all(stage, word)) t.doesNotThrow(() => list(rest), `${word} ${rest}`)
    }
  }
  t.same(all(last, 'RUN'), [], 'the last image has nothing to run')
})

t.test('the last image', async t => {
  t.same(all(last, 'USER'), ['65532:65532'])
  const [[node, ...flags]] = all(last, 'ENTRYPOINT').map(list) as [string[]]
  t.same([node, flags.at(-1)], ['/usr/local/bin/node', '/seamark/seamark.mjs'])
  t.same(all(last, 'CMD'), [], "the Deployment's args are all arguments")
  t.match(all(last, 'EXPOSE')[0], /53\/udp 53\/tcp 8080\/tcp 8181\/tcp 9153\/tcp/)
  const copies = all(last, 'COPY').map(rest => rest.split(' '))
  for (const [from, source] of copies) {
    const stage = stages.find(({ name }) => from === `--from=${name}`)!
    t.ok(
      all(stage, 'RUN').some(rest => list(rest).includes(source!)),
      `${source} is made by the stage ${stage.name}`,
    )
  }
})

t.test('the context is enough to build from, and the image enough to serve from', async t => {
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

  const build = list(all(stages[0]!, 'RUN').at(-1)!)
  const image = join(folder, 'image')
  const words = build.map(word => word.replace(/^\/out\//, `${image}/`))
  await run(process.execPath, words.slice(1), { cwd: context })

  const corefile = join(folder, 'Corefile')
  const port = await freePort()
  cpSync(join(ROOT, 'config', 'examples'), join(folder, 'examples'), { recursive: true })
  writeFileSync(corefile, server('127.0.0.1', port))
  const [, ...flags] = list(all(last, 'ENTRYPOINT')[0]!)
  const script = flags.pop()
  const seamark = spawnSeamark(args(corefile), {
    command: [process.execPath, ...flags, join(image, script!)],
  })
  t.teardown(() => seamark.stop('SIGKILL'))
  await seamark.printed(`Seamark-${manifest.version}`)
  t.equal((await query(port, { name: NAME })).rcode, 'NOERROR')
  t.equal(await seamark.stop(), 0)
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

const setcap = all(stages[1]!, 'RUN')
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

const reason = obstacle()
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
