// The last good state on a volume: what is written comes back, what is damaged, old or absent says so, and a disk that
// takes nothing more hurts nobody.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { SlimService } from '../../src/objects/objects.ts'
import type { KindSet } from '../../src/objects/source.ts'
import { readSnapshot, type Snapshot, SnapshotWriter, writeSnapshot } from '../../src/watch/snapshot.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { World } from './watched-api.ts'

const folder = async (t: Test): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'seamark-test-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

const service = (name: string): SlimService => ({
  namespace: 'default',
  name,
  type: 'ClusterIP',
  clusterIPs: ['10.96.0.1'],
  headless: false,
  externalName: 'bücher-🦭',
  ports: [{ name: 'http', port: 80, protocol: 'tcp' }],
  externalIPs: [],
})

const state: readonly KindSet[] = [
  ['Namespace', [{ name: 'default' }, { name: 'kube-system' }]],
  ['Service', Array.from({ length: 3000 }, (_, n) => service(`web-${n}`))],
  ['Pod', []],
]

t.test('what is written is read back', async t => {
  const file = join(await folder(t), 'state')
  await writeSnapshot(file, state, 1000)
  const snapshot = await readSnapshot(file, 2000)
  const sets = new Map(state.map(([kind, objects]) => [kind, [...objects]]))
  t.same(snapshot, { savedAtMs: 1000, sets, skipped: 0 })
})

t.test('a second snapshot takes the place of the first and leaves nothing beside it', async t => {
  const path = await folder(t)
  const file = join(path, 'state')
  await writeSnapshot(file, state, 1000)
  await writeSnapshot(file, [['Namespace', []]], 2000)
  t.match(await readSnapshot(file, 2000), { savedAtMs: 2000, sets: new Map([['Namespace', []]]) })
  t.same(await readdir(path), ['state'])
})

t.test('the age', async t => {
  const file = join(await folder(t), 'state')
  await writeSnapshot(file, state, 1_000_000)
  t.match(await readSnapshot(file, 1_060_000, 60_000), { savedAtMs: 1_000_000 })
  t.match(await readSnapshot(file, 1_060_001, 60_000), {
    problem: 'too-old',
    message: /is 60 s old, allowed are 60 s/,
  })
  t.match(await readSnapshot(file, 0, 60_000), { savedAtMs: 1_000_000 }, 'one from the future is taken')
})

t.test('absent and unreadable', async t => {
  const path = await folder(t)
  t.match(await readSnapshot(join(path, 'nothing'), 0), { problem: 'absent', message: /^no snapshot at / })
  t.match(await readSnapshot(path, 0), { problem: 'unreadable', message: /is no regular file/ })
  const pipe = join(path, 'pipe')
  spawnSync('mkfifo', [pipe])
  t.match(await readSnapshot(pipe, 0), { problem: 'unreadable', message: /is no regular file/ }, 'a pipe')
  const device = join(path, 'device')
  await symlink('/dev/zero', device)
  t.match(await readSnapshot(device, 0), { problem: 'unreadable', message: /is no regular file/ }, 'a device')
  const huge = join(path, 'huge')
  await writeFile(huge, '')
  await truncate(huge, 2 ** 40)
  t.match(
    await readSnapshot(huge, 0),
    { problem: 'unreadable', message: /octets, more than the/ },
    'a huge one',
  )
})

t.test('damaged', async t => {
  const file = join(await folder(t), 'state')
  await writeSnapshot(file, state.slice(0, 1), 1000)
  const whole = await readFile(file)
  const lines = whole.toString().split('\n')
  const damaged: Record<string, Buffer | string> = {
    'an empty file': '',
    'a file of something else': 'zone example.org\n',
    'another format': whole.toString().replace('"version":2', '"version":3'),
    'a line twice': [lines[0], lines[1], ...lines.slice(1)].join('\n'),
    'a line less': [lines[0], ...lines.slice(2)].join('\n'),
    'two lines exchanged': [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n'),
    zeros: Buffer.alloc(whole.length),
  }
  for (let length = 1; length < whole.length; length++)
    damaged[`cut at ${length}`] = whole.subarray(0, length)
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole)
    changed[at]! ^= 1
    damaged[`octet ${at} changed`] = changed
  }
  for (const [title, contents] of Object.entries(damaged)) {
    await writeFile(file, contents)
    const result = await readSnapshot(file, 1000)
    if (!('problem' in result) || result.problem !== 'damaged') t.match(result, { problem: 'damaged' }, title)
  }
  t.ok(Object.keys(damaged).length > 200, `${Object.keys(damaged).length} kinds of damage found`)
})

/** A snapshot with these lines, as values or as text, and a digest that is right: whoever writes the file can make one. */
function forged(lines: readonly unknown[], header: Readonly<Record<string, unknown>> = {}): string {
  const head = {
    seamark: 'snapshot',
    version: 2,
    savedAtMs: 1000,
    kinds: ['Namespace', 'Service'],
    ...header,
  }
  const text = [head, ...lines]
    .map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
    .join('')
  const sha256 = createHash('sha256').update(text).digest('hex')
  return `${text}${JSON.stringify({ objects: lines.length, sha256 })}\n`
}

t.test('what is hostile in shape costs itself and nothing else', async t => {
  const file = join(await folder(t), 'state')
  const good = service('web')
  const hostile: readonly (readonly [what: string, line: unknown])[] = [
    ['no list', {}],
    ['nothing in it', []],
    ['a kind that nobody knows', ['Secret', good]],
    ['a kind that is not saved', ['Pod', { namespace: 'default', name: 'a', ip: '10.0.0.1' }]],
    ['the name of a property', ['constructor', good]],
    ['no object', ['Service', null]],
    ['a list', ['Service', [good]]],
    ['nested without end', `["Service",${'['.repeat(50_000)}${']'.repeat(50_000)}]`],
    ...Object.keys(good).map(key => [`without ${key}`, ['Service', { ...good, [key]: undefined }]] as const),
    ...Object.keys(good).map(key => [`${key} a number`, ['Service', { ...good, [key]: 7 }]] as const),
    ['a name that is none', ['Service', { ...good, name: 'a.b' }]],
    ['a name of 64 octets', ['Service', { ...good, name: 'a'.repeat(64) }]],
    ['an address that is none', ['Service', { ...good, clusterIPs: ['10.0.0.256'] }]],
    ['an address in another spelling', ['Service', { ...good, clusterIPs: ['FD00::1'] }]],
    ['a port that is none', ['Service', { ...good, ports: [{ name: '', port: 65_536, protocol: 'tcp' }] }]],
    ['a namespace that is none', ['Namespace', { name: '' }]],
  ]
  for (const [what, line] of hostile) {
    await writeFile(file, forged([line, ['Service', good]]))
    const snapshot = await readSnapshot(file, 1000)
    t.match(snapshot, { skipped: 1 }, what)
    if ('sets' in snapshot) t.same(snapshot.sets.get('Service'), [good], what)
  }
  for (const savedAtMs of [1e300, -1e300, 0.5, '1000', null]) {
    await writeFile(file, forged([], { savedAtMs }))
    t.match(await readSnapshot(file, 1000), { problem: 'damaged', message: /it has no date/ }, `${savedAtMs}`)
  }
  await writeFile(file, forged([['Service', { ...good, more: { deep: [1, 2, 3] } }]]))
  const [kept] = [...((await readSnapshot(file, 1000)) as Snapshot).sets.get('Service')!]
  t.strictSame(kept, good, 'fields that nobody knows are not kept')
})

t.test('one of the version before is read', async t => {
  const file = join(await folder(t), 'state')
  await writeFile(file, forged([['Service', service('web')]], { version: 1 }))
  t.match(await readSnapshot(file, 1000), { skipped: 0, savedAtMs: 1000 })
})

const writer = async (t: Test, file?: string) => {
  const clock = new VirtualClock()
  const path = await folder(t)
  const logs: string[] = []
  let names: string[] | undefined = ['a']
  const snapshots = new SnapshotWriter({
    file: file ?? join(path, 'state'),
    intervalMs: 5000,
    clock,
    collect: () => names && [['Namespace', names.map(name => ({ name }))]],
    log: (level, message) => logs.push(`${level} ${message}`),
  })
  const set = (next: string[] | undefined): void => {
    names = next
  }
  return { clock, path, file: file ?? join(path, 'state'), logs, snapshots, set }
}

const saved = async (file: string): Promise<unknown> => {
  const snapshot = await readSnapshot(file, 0)
  return 'problem' in snapshot ? snapshot.problem : snapshot.sets.get('Namespace')
}

t.test('the writer saves at most once per interval, and at the end', async t => {
  const { clock, file, snapshots, set } = await writer(t)
  clock.advance(60_000)
  t.equal(await saved(file), 'absent', 'nothing has changed')
  for (let n = 0; n < 100; n++) snapshots.touch()
  clock.advance(4999)
  t.equal(await saved(file), 'absent')
  clock.advance(1)
  await snapshots.stop()
  t.same(await saved(file), [{ name: 'a' }])
  const { savedAtMs } = snapshots.status()
  t.equal(savedAtMs, clock.wallMs())
  set(['b'])
  await snapshots.stop()
  t.same(await saved(file), [{ name: 'a' }], 'unchanged since: not written again')
  snapshots.touch()
  await snapshots.stop()
  t.same(await saved(file), [{ name: 'b' }], 'the last change is not lost')
})

t.test('an incomplete state is not saved', async t => {
  const { file, snapshots, set } = await writer(t)
  set(undefined)
  snapshots.touch()
  await snapshots.stop()
  t.equal(await saved(file), 'absent')
})

t.test('a disk that takes nothing is logged once, retried, and no error of anybody', async t => {
  const path = await folder(t)
  const file = join(path, 'missing', 'state')
  const { clock, snapshots, logs } = await writer(t, file)
  for (let n = 1; n <= 3; n++) {
    snapshots.touch()
    clock.advance(5000)
    while (snapshots.status().failures < n) await new Promise(resolve => setImmediate(resolve))
  }
  t.match(logs, [/^error writing snapshot .*ENOENT/])
  t.match(snapshots.status(), { savedAtMs: undefined, lastError: /ENOENT/ })
  await mkdir(join(path, 'missing'))
  clock.advance(5000)
  await snapshots.stop()
  t.same(await saved(file), [{ name: 'a' }])
  t.match(logs.slice(1), [/^info writing snapshot .* works again$/])
  t.match(snapshots.status(), { failures: 3, lastError: undefined })
})

t.test('a failed write keeps the old file', async t => {
  await t.rejects(writeSnapshot('/dev/null/state', state, 0), { code: 'ENOTDIR' })
  const file = join(await folder(t), 'state')
  await writeSnapshot(file, state, 1000)
  const broken: KindSet[] = [
    [
      'Namespace',
      [
        {
          name: 'x',
          toJSON: () => {
            throw new Error('no')
          },
        } as { name: string },
      ],
    ],
  ]
  await t.rejects(writeSnapshot(file, broken, 2000), /no/)
  t.match(await readSnapshot(file, 1000), { savedAtMs: 1000 })
})

t.test('the state of a source goes to a file and comes back', async t => {
  const file = join(await folder(t), 'state')
  const world = await World.make(t, { absent: true })
  t.equal(world.source.sets(), undefined, 'nothing is saved before it is complete')
  await world.server.listen()
  await world.within(5000, 'synced', () => world.source.synced)
  await writeSnapshot(file, world.source.sets() ?? [], 0)
  const snapshot = await readSnapshot(file, 0)
  if ('problem' in snapshot) return t.fail(snapshot.message)
  t.same([...snapshot.sets.keys()].sort(), ['EndpointSlice', 'Namespace', 'Service'])
  for (const [kind, objects] of snapshot.sets) t.same(objects, world.sink.state(kind))
  return undefined
})
