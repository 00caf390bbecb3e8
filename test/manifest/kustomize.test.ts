import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { formatProblem } from '../../src/manifest/problem.ts'
import { ManifestSource } from '../../src/manifest/source.ts'
import { documents, manifest, service, workload } from './manifest-texts.ts'

/** What every folder has besides its own. */
const OURS = /^kube-system\/|^default\/kube/

type Folder = NonNullable<Parameters<Test['testdir']>[0]>

/** The Services and problems of the folder `of` below a folder of files. */
async function sourceOf(t: Test, files: Folder, of = '.') {
  const top = t.testdir(files)
  const directory = join(top, of)
  const problems: string[] = []
  const source = new ManifestSource({
    directory,
    sink: { replace() {}, upsert() {}, remove() {} },
    report: problem => problems.push(formatProblem(problem).replaceAll(`${top}/`, '')),
    clock: { nowMs: () => 0, wallMs: () => 0, after: () => ({ cancel() {} }) },
    hints: () => ({ watch() {}, close() {} }),
  })
  t.teardown(() => source.stop())
  await source.start()
  return {
    top,
    services: () => [...source.state.Service.keys()].filter(key => !OURS.test(key)).sort(),
    pods: () => [...source.state.Pod.keys()].filter(key => !OURS.test(key)).sort(),
    namespaces: () => [...source.state.Namespace.keys()],
    problems: () => problems.splice(0),
    /** Looks until a change has been believed. */
    async settled() {
      await source.look()
      await source.look()
    },
  }
}

const web = service('web', {})
const db = service('db', {})
const kustomization = (fields: object): string => JSON.stringify({ kind: 'Kustomization', ...fields })

t.test('a kustomization says which files count, what they are called and in which namespace', async t => {
  const s = await sourceOf(t, {
    'web.yaml': documents(
      manifest('Namespace', 'default'),
      service({ name: 'web', namespace: 'elsewhere' }, { selector: { app: 'db' } }),
      workload('StatefulSet', 'db', 2, { serviceName: 'web' }),
    ),
    'db.yaml': db,
    'kustomization.yaml': kustomization({
      resources: ['./web.yaml'],
      namespace: 'shop',
      namePrefix: 'dev-',
      nameSuffix: '-1',
    }),
  })
  t.same(s.services(), ['shop/dev-web-1'])
  t.same(s.pods(), ['shop/dev-db-1-0', 'shop/dev-db-1-1'])
  t.ok(s.namespaces().includes('shop'))
  t.notOk(s.namespaces().includes('elsewhere'))
  t.same(s.problems(), [])
})

t.test(
  'a base that another kustomization lists is part of that one alone, also from outside of the folder',
  async t => {
    const files: Folder = {
      base: {
        'kustomization.yml': kustomization({ resources: ['web.yaml'], namePrefix: 'a-' }),
        'web.yaml': web,
      },
      extra: { 'db.yaml': db },
      overlays: {
        dev: {
          Kustomization: kustomization({
            resources: ['../../base/', '../../extra/db.yaml'],
            namespace: 'dev',
          }),
        },
        prod: { 'kustomization.yaml': kustomization({ bases: ['../../base'], namespace: 'prod' }) },
      },
    }
    const whole = await sourceOf(t, files)
    t.same(
      whole.services(),
      ['default/db', 'dev/a-web', 'dev/db', 'prod/a-web'],
      'files beside them count as they are',
    )
    t.same(whole.problems(), [])
    const overlay = await sourceOf(t, files, 'overlays/dev')
    t.same(overlay.services(), ['dev/a-web', 'dev/db'])
    await overlay.settled()
    await overlay.settled()
    t.same(overlay.services(), ['dev/a-web', 'dev/db'], 'what lies outside stays')
    writeFileSync(join(overlay.top, 'base/web.yaml'), `${web}\n---\n${service('api', {})}`)
    await overlay.settled()
    t.same(overlay.services(), ['dev/a-api', 'dev/a-web', 'dev/db'], 'and is looked at again')
    t.same(overlay.problems(), [])
  },
)

t.test('what cannot be applied is told, and what was served stays while the file is broken', async t => {
  const s = await sourceOf(t, {
    'web.yaml': web,
    'kustomization.yaml': `kind: Kustomization
resources: [web.yaml, missing.yaml, 'https://example.org/x.yaml', .]
images: [{name: a, newTag: b}]
patches: [{path: p.yaml}]
`,
  })
  t.same(s.services(), ['default/web'])
  const FILE = 'kustomization.yaml'
  t.same(s.problems(), [
    `${FILE}:4:1: warning: 'patches' is not applied: write what kubectl kustomize prints where names or endpoints depend on it`,
    `${FILE}:2:23: error: 'missing.yaml' is neither a file nor a folder with a kustomization: not served`,
    `${FILE}:2:37: error: 'https://example.org/x.yaml' is not fetched: not served`,
    `${FILE}:2:67: error: '.' lists this kustomization itself: not served`,
  ])
  writeFileSync(join(s.top, FILE), 'resources: [')
  await s.settled()
  t.same(s.services(), ['default/web'])
  t.match(s.problems().join('\n'), /broken YAML: .*; what the file held before stays served/)
  rmSync(join(s.top, FILE))
  mkdirSync(join(s.top, 'more'))
  writeFileSync(join(s.top, 'more/db.yaml'), db)
  await s.settled()
  t.same(s.services(), ['default/db', 'default/web'], 'a folder without one is all of its files')
})

t.test('a name that the kustomization makes impossible is left out', async t => {
  const s = await sourceOf(t, {
    'web.yaml': web,
    'kustomization.yaml': kustomization({ resources: ['web.yaml'], namePrefix: 'a.b-' }),
  })
  t.same(s.services(), [])
  t.match(s.problems(), [
    /^web\.yaml:1:\d+: error: 'a\.b-web' is no valid name of a Service: Service default\/web is left out$/,
  ])
})
