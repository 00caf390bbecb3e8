import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { ClusterState } from '../../src/manifest/compile.ts'
import type { Hints } from '../../src/manifest/hints.ts'
import { formatProblem } from '../../src/manifest/problem.ts'
import { FILE_MAX_BYTES } from '../../src/manifest/read.ts'
import { type ManifestOptions, ManifestSource, SETTLE_MS } from '../../src/manifest/source.ts'
import { objectKey, type Sink } from '../../src/objects/objects.ts'
import type { Clock } from '../../src/shared/clock.ts'
import { documents, service, workload } from './manifest-texts.ts'

/** A source over a folder, with a clock that only runs when it is told to, and everything that it said. */
function sourceOf(t: Test, directory: string, options: ManifestOptions = {}) {
  const emitted: string[] = []
  const problems: string[] = []
  const changes: [before: ClusterState, after: ClusterState][] = []
  const timers: { delayMs: number; run: () => void }[] = []
  const watched: string[][] = []
  let hint: () => void = () => {}
  const sink: Sink = {
    replace: (kind, objects) => emitted.push(`= ${kind} ${[...objects].length}`),
    upsert: (kind, object) => emitted.push(`+ ${kind} ${objectKey(object)}`),
    remove: (kind, key) => emitted.push(`- ${kind} ${key}`),
  }
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => 0,
    after(delayMs, run) {
      const timer = { delayMs, run }
      timers.push(timer)
      return { cancel: () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1)) }
    },
  }
  const hints = (look: () => void): Hints => {
    hint = look
    return { watch: folders => watched.push([...folders]), close: () => watched.push([]) }
  }
  const source = new ManifestSource({
    directory,
    sink,
    report: problem =>
      problems.push(formatProblem(problem).replaceAll(`${directory}/`, '').replace(directory, 'DIR')),
    options,
    pollMs: 777,
    clock,
    hints,
    changed: (before, after) => changes.push([before, after]),
  })
  t.teardown(() => source.stop())
  return {
    source,
    changes,
    timers,
    watched,
    hint: () => hint(),
    problems: () => problems.splice(0),
    /** What came out, once a change has been seen twice. */
    async settled() {
      await source.look()
      await source.look()
      return emitted.splice(0)
    },
    emitted: () => emitted.splice(0),
  }
}

const web = service('web', { clusterIP: '10.96.3.1' })
const db = service('db', { clusterIP: '10.96.3.2' })

/** Replaces a file so that its signature surely differs, however coarse the file system's clock. */
function rewrite(path: string, text: string): void {
  const ageSeconds = statSync(path).mtimeMs / 1000 + 5
  writeFileSync(path, text)
  utimesSync(path, ageSeconds, ageSeconds)
}

t.test('the first look replaces every kind, later ones emit differences', async t => {
  const dir = t.testdir({ 'a.yaml': web, sub: { 'b.json': db, 'c.txt': 'kind: [', '.d.yaml': 'kind: [' } })
  const s = sourceOf(t, dir)
  await s.source.start()
  t.same(s.emitted(), [
    '= Namespace 2',
    '= Service 4',
    '= EndpointSlice 2',
    '= Pod 3',
    '= ServiceImport 0',
    '= Node 0',
    '= DNSRecord 0',
    '= DNSEndpoint 0',
    '= Ingress 0',
    '= StubDomain 0',
    '= Gateway 0',
    '= HTTPRoute 0',
    '= DNSPolicy 0',
  ])
  t.same(s.problems(), [], 'files of other sorts and hidden ones are not read')
  t.same(await s.settled(), [], 'nothing changed')

  rewrite(
    join(dir, 'a.yaml'),
    documents(web, service({ name: 'new', namespace: 'shop' }, { clusterIP: '10.96.3.3' })),
  )
  await s.source.look()
  t.same(s.emitted(), [], 'seen once')
  t.same(await s.settled(), ['+ Namespace shop', '+ Service shop/new'])

  rewrite(join(dir, 'a.yaml'), service('web', { clusterIP: '10.96.3.9' }))
  t.same(await s.settled(), ['- Namespace shop', '- Service shop/new', '+ Service default/web'])
  t.equal(s.source.state.Service.get('default/web')?.clusterIPs[0], '10.96.3.9')
  t.equal(s.changes.length, 3)
  t.equal(s.changes[2]![0].Service.get('default/web')?.clusterIPs[0], '10.96.3.1')

  rmSync(join(dir, 'sub'), { recursive: true })
  t.same(await s.settled(), ['- Service default/db'])
  t.same(s.problems(), [])
})

t.test('a new workload reaches the slices of its Service', async t => {
  const dir = t.testdir({ 'a.yaml': service('web', { selector: { app: 'web' } }) })
  const s = sourceOf(t, dir)
  await s.source.start()
  s.emitted()
  t.match(s.problems(), [/selector app=web matches no Pod/])
  writeFileSync(join(dir, 'b.yaml'), workload('StatefulSet', 'web', 2))
  t.match(await s.settled(), [
    /^\+ EndpointSlice default\/web-/,
    '+ Pod default/web-0',
    '+ Pod default/web-1',
  ])
})

t.test('a broken file leaves its last good objects in force', async t => {
  const dir = t.testdir({ 'a.yaml': web, 'b.yaml': db })
  const path = join(dir, 'a.yaml')
  const s = sourceOf(t, dir)
  await s.source.start()
  s.emitted()
  const cases: [text: string, problem: RegExp][] = [
    ['kind: [', /^a\.yaml:1:\d+: error: broken YAML: .*; what the file held before stays served$/],
    [
      'hello',
      /^a\.yaml:1:1: error: 'hello' is no Kubernetes object; what the file held before stays served$/,
    ],
    ['apiVersion: v1\nkind: Service\nmetadata: {name: A_B}', /^a\.yaml:3:18: error: 'A_B' is no valid name/],
  ]
  for (const [text, problem] of cases) {
    rewrite(path, text)
    t.same(await s.settled(), [], text)
    t.match(s.problems(), [problem])
    t.same(await s.settled(), [])
    t.same(s.problems(), [], 'said once')
  }
  rewrite(path, documents(web, service('more', { clusterIP: '10.96.3.5' })))
  t.same(await s.settled(), ['+ Service default/more'])
  t.same(s.problems(), ['a.yaml:1:1: info: the errors here are gone'])
})

t.test('a file that is broken from the start gives what is good in it', async t => {
  const dir = t.testdir({ 'a.yaml': `${web}\n---\nkind: [\n` })
  const s = sourceOf(t, dir)
  await s.source.start()
  t.ok(s.source.state.Service.has('default/web'))
  t.match(s.problems(), [/^a\.yaml:\d+:\d+: error: broken YAML: /])
})

t.test('a problem is not said again when only its line moves', async t => {
  const text = 'apiVersion: v1\nkind: Servce\n'
  const dir = t.testdir({ 'a.yaml': text })
  const s = sourceOf(t, dir)
  await s.source.start()
  t.match(s.problems(), [/^a\.yaml:2:7: warning: unknown kind 'Servce'/])
  rewrite(join(dir, 'a.yaml'), `# a line more\n${text}`)
  await s.settled()
  t.same(s.problems(), [])
  rewrite(join(dir, 'a.yaml'), web)
  await s.settled()
  rewrite(join(dir, 'a.yaml'), text)
  await s.settled()
  t.match(s.problems(), [/unknown kind/], 'again after it was gone')
})

t.test('a file swapped by an editor is no removal', async t => {
  const dir = t.testdir({ 'a.yaml': web })
  const s = sourceOf(t, dir)
  await s.source.start()
  s.emitted()
  renameSync(join(dir, 'a.yaml'), join(dir, 'a.yaml~'))
  await s.source.look()
  renameSync(join(dir, 'a.yaml~'), join(dir, 'a.yaml'))
  t.same(await s.settled(), [])
  rewrite(join(dir, 'a.yaml'), '')
  await s.source.look()
  rewrite(join(dir, 'a.yaml'), documents(web, db))
  t.same(await s.settled(), ['+ Service default/db'], 'the empty file in between was never believed')
})

t.test('the timer and the hints look, and settle early', async t => {
  const dir = t.testdir({ 'a.yaml': web, sub: {} })
  const s = sourceOf(t, dir)
  await s.source.start()
  s.emitted()
  t.same(
    s.timers.map(timer => timer.delayMs),
    [777],
  )
  t.same(s.watched, [[dir, join(dir, 'sub')]])

  rewrite(join(dir, 'a.yaml'), documents(web, db))
  s.hint()
  s.hint()
  t.same(
    s.timers.map(timer => timer.delayMs),
    [SETTLE_MS],
    'two hints, one look',
  )
  s.timers.splice(0)[0]!.run()
  await s.source.look()
  t.same(s.emitted(), ['+ Service default/db'])
  t.same(
    s.timers.map(timer => timer.delayMs),
    [777],
  )

  rewrite(join(dir, 'a.yaml'), web)
  await s.source.look()
  t.same(
    s.timers.map(timer => timer.delayMs),
    [SETTLE_MS],
    'a change seen once is looked at again soon',
  )
  await s.source.stop()
  t.same(s.timers, [], 'no timer outlives the source')
  t.same(s.watched.at(-1), [])
  await s.source.look()
  t.same(s.emitted(), [], 'and nothing is emitted any more')
})

t.test('links: loops end, a file is read once, a swapped ConfigMap is noticed', async t => {
  const dir = t.testdir({
    '..v1': { 'a.yaml': web },
    '..v2': { 'a.yaml': documents(web, db) },
    real: { 'c.yaml': service('c', {}) },
  })
  symlinkSync('..v1', join(dir, '..data'))
  symlinkSync('..data/a.yaml', join(dir, 'a.yaml'))
  symlinkSync('.', join(dir, 'loop'))
  symlinkSync('real', join(dir, 'again'))
  symlinkSync('self.d', join(dir, 'self.d'))
  const s = sourceOf(t, dir)
  await s.source.start()
  t.same(s.problems(), [])
  t.same([...s.source.state.Service.keys()].sort(), [
    'default/c',
    'default/kubernetes',
    'default/web',
    'kube-system/kube-dns',
  ])
  s.emitted()
  symlinkSync('..v2', join(dir, '..data_tmp'))
  renameSync(join(dir, '..data_tmp'), join(dir, '..data'))
  t.same(await s.settled(), ['+ Service default/db'])
  symlinkSync('nowhere', join(dir, 'gone.yaml'))
  await s.settled()
  t.same(s.problems(), ['gone.yaml:1:1: error: a link to nothing: ENOENT'])
})

t.test('a folder that is not there is looked for', async t => {
  const dir = join(t.testdir({}), 'later')
  const s = sourceOf(t, dir)
  await s.source.start()
  t.same(s.emitted(), [], 'not synced')
  t.same(s.problems(), ['DIR:1:1: error: cannot be read: ENOENT'])
  await s.source.look()
  t.same(s.problems(), [], 'said once')
  mkdirSync(dir)
  writeFileSync(join(dir, 'a.yaml'), web)
  await s.source.look()
  t.equal(s.emitted()[1], '= Service 3')
  t.same(s.problems(), ['DIR:1:1: info: the errors here are gone'])
  renameSync(dir, `${dir}~`)
  t.same(await s.settled(), [], 'gone again: the last good state stays')
  t.same(s.problems(), ['DIR:1:1: error: cannot be read: ENOENT'])
})

t.test('what is unreadable or too large is reported and the rest served', async t => {
  const dir = t.testdir({ 'a.yaml': web, 'big.yaml': '', shut: { 'c.yaml': db } })
  writeFileSync(join(dir, 'big.yaml'), Buffer.alloc(FILE_MAX_BYTES + 1, 0x20))
  const s = sourceOf(t, dir)
  await s.source.start()
  t.same(s.problems(), [`big.yaml:1:1: error: larger than ${FILE_MAX_BYTES} bytes: not read`])
  s.emitted()
  // Permissions do not bind root, who sees the folder as it was.
  const shut = process.getuid?.() === 0 ? [] : ['shut:1:1: error: cannot be read: EACCES']
  chmodSync(join(dir, 'shut'), 0)
  try {
    t.same(await s.settled(), [], 'what the folder held stays')
    t.same(s.problems(), shut)
  } finally {
    chmodSync(join(dir, 'shut'), 0o755)
  }
})

t.test('a selector that cannot be read', async t => {
  t.throws(() => sourceOf(t, t.testdir({}), { labels: 'a in' }), {
    code: 'bad-selector',
    message: /'a in': found the end/,
  })
  t.throws(() => sourceOf(t, t.testdir({}), { namespaceLabels: '=' }), { code: 'bad-selector' })
})

t.test("the system's own hints", async t => {
  const dir = t.testdir({ 'a.yaml': web })
  const changed = Promise.withResolvers<ClusterState>()
  const sink: Sink = { replace() {}, upsert: () => {}, remove: () => {} }
  const source = new ManifestSource({
    directory: dir,
    sink,
    report: problem => t.fail(formatProblem(problem)),
    pollMs: 20,
    changed: (_, after) => after.Service.has('default/db') && changed.resolve(after),
  })
  t.teardown(() => source.stop())
  await source.start()
  const keepAlive = setInterval(() => {}, 1000)
  writeFileSync(join(dir, 'b.yaml'), db)
  const state = await changed.promise
  clearInterval(keepAlive)
  t.same(state.Service.get('default/db')?.clusterIPs, ['10.96.3.2'])
})

t.test('custom resources are told in one line', async t => {
  const crd = (group: string, kind: string): string =>
    `apiVersion: ${group}/v1\nkind: ${kind}\nmetadata: {name: x}\n`
  const monitoring = 'monitoring.coreos.com'
  const directory = t.testdir({
    'a.yaml': documents(web, crd(monitoring, 'ServiceMonitor'), crd(monitoring, 'PrometheusRule')),
    'b.yaml': documents(crd(monitoring, 'ServiceMonitor'), crd('cert-manager.io', 'Certificate')),
  })
  const { settled, problems } = sourceOf(t, directory)
  await settled()
  t.same(problems(), [
    'a.yaml:4:7: info: custom resources are left alone, no cluster DNS looks at them: Certificate (cert-manager.io); PrometheusRule, ServiceMonitor (monitoring.coreos.com)',
  ])
  await settled()
  t.same(problems(), [], 'and once')
})

t.test('of a Helm chart nothing is read', async t => {
  const directory = t.testdir({
    'web.yaml': web,
    shop: {
      'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
      'values.yaml': 'replicas: 2\n',
      templates: { 'db.yaml': db, 'broken.yaml': '{{- if .Values.x }}\n' },
    },
  })
  const { settled, problems, source } = sourceOf(t, directory)
  await settled()
  t.same(problems(), [
    'shop/Chart.yaml:1:1: error: a Helm chart, of which nothing is read: write what helm template NAME shop prints',
  ])
  t.ok(source.state.Service.has('default/web'))
  t.notOk(source.state.Service.has('default/db'))
  rmSync(join(directory, 'shop'), { recursive: true })
  await settled()
  t.match(problems(), [/shop\/Chart\.yaml:1:1: info: the errors here are gone/])
})
