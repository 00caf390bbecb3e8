// What Seamark takes where nothing is asked: the sizes of the package and of the image, and the resident memory of a node's
// cache. CoreDNS beside it is its program alone, and a cache with the same Corefile (node-cache is CoreDNS with more around it).

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Unavailable } from '../../../scripts/image/download.ts'
import { makeImage } from '../../../scripts/image/layout.ts'
import { platformNamed } from '../../../scripts/image/platforms.ts'
import { layers } from '../../../scripts/image/tree.ts'
import { RUN_CONFIG } from '../../../scripts/image.ts'
import { eventually, freePorts, Program, Scope } from '../../e2e/processes.ts'
import { programPath } from '../../e2e/programs.ts'
import { ROOT, run } from '../../packaging/bundle.ts'
import { query } from '../../support/dns-client.ts'
import { residentMib } from '../../support/process-stat.ts'
import type { Context, Row } from '../common/context.ts'
import { imageCommand } from '../common/image.ts'
import { atMostOf, FigureTable } from '../common/results.ts'
import type { SubjectId } from '../common/servers.ts'

const OCTETS_PER_MIB = 2 ** 20
const MADE = new Date(0).toISOString()
const SETTLE_MS = 3000
const READY_DEADLINE_MS = 60_000

const TITLES = {
  package: 'the npm package without koffi and Node, packed',
  image: 'the image for amd64, compressed (CoreDNS: its program alone)',
  nodeCache: "resident memory, idle, a node's cache",
} as const

/** In MiB, of the package of this checkout. */
async function packageMib(context: Context): Promise<number> {
  const staged = join(context.folder, 'staged')
  for (const path of ['package.json', 'README.md', 'LICENSE', 'bin', 'config', 'docs'])
    cpSync(join(ROOT, path), join(staged, path), { recursive: true })
  cpSync(context.bench.bundles.withoutKoffi, join(staged, 'dist'), { recursive: true })
  const { stdout } = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], { cwd: staged })
  const [{ size }] = JSON.parse(stdout) as [{ size: number }]
  return size / OCTETS_PER_MIB
}

/** In MiB; undefined where Debian's packages cannot be had. */
async function imageMib(context: Context): Promise<number | undefined> {
  try {
    const platform = platformNamed('amd64')
    const image = await makeImage(platform, await layers(platform, MADE), RUN_CONFIG, 0)
    return image.layers.reduce((sum, { size }) => sum + size, 0) / OCTETS_PER_MIB
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    context.say(`  no image: ${error.message}`)
    return undefined
  }
}

/** The Corefile of config/node-local, with ports of this machine. */
function cacheCorefile(ports: readonly number[]): string {
  const [dns, upstream, metrics, health] = ports
  const block = (zone: string, forward: string, more: string): string =>
    `${zone}:${dns} {\n  errors\n  cache 30\n  reload\n  loop\n  bind 127.0.0.1\n  forward . 127.0.0.1:${upstream} {\n    ${forward}\n  }\n  prometheus 127.0.0.1:${metrics}\n${more}}\n`
  return (
    block('cluster.local', 'force_tcp', `  health 127.0.0.1:${health}\n`) +
    ['in-addr.arpa', 'ip6.arpa'].map(zone => block(zone, 'force_tcp', '')).join('') +
    block('.', 'max_concurrent 1000', '')
  )
}

/** In MiB, a moment after the start. */
async function idleCacheMib(context: Context, id: SubjectId): Promise<number> {
  const scope = new Scope()
  try {
    const folder = scope.folder(`cache-${id}`)
    const [dns, metrics, health, own] = (await freePorts(4)) as [number, number, number, number]
    const text = cacheCorefile([dns, context.bench.world.upstreamPort, metrics, health])
    writeFileSync(join(folder, 'Corefile.base'), text)
    const image = imageCommand(context.bench.bundles.whole)
    const command =
      id === 'coredns'
        ? [programPath('coredns'), '-conf', 'Corefile.base']
        : `${image.words.join(' ')} node-cache -localip 127.0.0.1 -setupinterface=false -setupiptables=false -conf Corefile -basecorefile Corefile.base -metrics-listen-address 127.0.0.1:${own}`.split(
            ' ',
          )
    const env = { PATH: process.env.PATH, ...(id === 'coredns' ? {} : image.env) }
    const program = Program.start(scope, folder, id, ['taskset', '-c', context.cores.server, ...command], {
      env,
      endSignal: 'SIGKILL',
    })
    await eventually(
      `the cache of ${id} answers`,
      async () => (await query(dns, { name: 'example.org', type: 'A' })) !== undefined,
      READY_DEADLINE_MS,
    )
    await delay(SETTLE_MS)
    return residentMib(program.pid)
  } finally {
    await scope.end()
  }
}

export const footprintRow: Row = {
  id: 'footprint',
  title: 'package, image, and the idle cache of a node',
  async run(context) {
    const figures = new FigureTable()
    figures.add(TITLES.package, 'MiB', 'seamark', await packageMib(context))
    const image = context.effort.quick ? undefined : await imageMib(context)
    if (image !== undefined) figures.add(TITLES.image, 'MiB', 'seamark', image)
    for (const id of context.available(['seamark', 'coredns'])) {
      if (id === 'coredns' && image !== undefined)
        figures.add(
          TITLES.image,
          'MiB',
          id,
          gzipSync(readFileSync(programPath('coredns'))).length / OCTETS_PER_MIB,
        )
      for (let round = 0; round < context.effort.rounds; round++)
        figures.add(TITLES.nodeCache, 'MiB', id, await idleCacheMib(context, id))
    }
    return figures.results((title, each) =>
      title === TITLES.nodeCache ? atMostOf({ coredns: 1 }, each) : {},
    )
  },
}
