// One version, by semver, wherever it is written: a release changes all of them and the title of its changes.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { ROOT } from './bundle.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

t.test('is the same everywhere', async t => {
  t.match(manifest.version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/)
  const chart = parse(read('charts/seamark/Chart.yaml')) as { version: string; appVersion: string }
  t.same([chart.version, chart.appVersion], [manifest.version, manifest.version], 'the chart')
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: { '': { version: string } } }
  t.equal(packages[''].version, manifest.version, 'package-lock.json')
  for (const folder of ['kubernetes', 'image-only', 'node-local']) {
    const file = `config/${folder}/kustomization.yaml`
    const { images } = parse(read(file)) as { images: { newTag: string }[] }
    t.same(
      images.map(({ newTag }) => newTag),
      [manifest.version],
      file,
    )
  }
  t.match(read('Dockerfile'), `image.version="${manifest.version}"`)
  t.match(read('docs/seamark.1'), `Seamark ${manifest.version}`)
})

t.test('the changes are told by versions, the newest first', async t => {
  const titles = [...read('CHANGELOG.md').matchAll(/^## (.*)$/gm)].map(([, title = '']) => title)
  t.ok(titles.length > 0)
  for (const title of titles) t.match(title, /^(?:Unreleased|\d+\.\d+\.\d+(?:-[\w.]+)? - \d{4}-\d\d-\d\d)$/)
  const numbers = titles.filter(title => title !== 'Unreleased').map(title => title.split(' ')[0]!)
  const value = (version: string): number =>
    version.split('.').reduce((sum, part) => sum * 1000 + Number.parseInt(part, 10), 0)
  t.same(
    numbers,
    [...numbers].sort((a, b) => value(b) - value(a)),
  )
})
