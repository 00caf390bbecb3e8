// What the lines of a server block make kubernetes keep of Pods as clients, and that blocks share it.

import t from 'tap'
import { formatProblem, Problems } from '../../../src/corefile/problem.ts'
import { type KubernetesConfig, sourceKey } from '../../../src/plugin/kubernetes/config.ts'
import { buildSetup } from '../../../src/setup/build.ts'
import { read } from '../../corefile/read-corefile.ts'

/** The kubernetes directives of a Corefile as they are served, and what is said of it. */
function setupOf(corefile: string): {
  clients: readonly KubernetesConfig['clients'][]
  keys: number
  told: string[]
} {
  const problems = new Problems()
  const { kubernetes } = buildSetup(read(corefile), problems, { port: 53, file: 'Corefile', env: {} })
  return {
    clients: kubernetes.map(({ clients }) => clients),
    keys: new Set(kubernetes.map(sourceKey)).size,
    told: problems.list.map(problem => formatProblem(problem).slice('Corefile:'.length)),
  }
}

const VERIFIED = 'kubernetes cluster.local {\npods verified\n}'
const INSECURE = 'kubernetes cluster.local {\npods insecure\n}'

t.test('what is kept', async t => {
  const cases: [lines: string, clients: KubernetesConfig['clients'], told: string[]][] = [
    [VERIFIED, undefined, []],
    [`metadata\nlog\n${VERIFIED}`, undefined, []],
    [`metadata\nlog . "{/kubernetes/service}"\n${VERIFIED}`, undefined, []],
    [`autopath @kubernetes\n${VERIFIED}`, { podNames: false, hosts: false, labels: [] }, []],
    [
      `metadata\nlog . "{/kubernetes/client-namespace}"\n${VERIFIED}`,
      { podNames: false, hosts: false, labels: [] },
      [],
    ],
    [
      `metadata\nlog . "{/kubernetes/client-pod-name} {/kubernetes/client-label/tier}"\nlog a. "{/kubernetes/client-label/app.kubernetes.io/name}{/kubernetes/client-label/tier}"\n${VERIFIED}`,
      { podNames: true, hosts: false, labels: ['app.kubernetes.io/name', 'tier'] },
      [],
    ],
    [
      `metadata\nview v {\nexpr metadata('kubernetes/client-label/app')=='a'\n}\n${VERIFIED}`,
      { podNames: false, hosts: false, labels: ['app'] },
      [],
    ],
    [
      `metadata\nrewrite edns0 local set 0xffee {kubernetes/client-label/app}\n${VERIFIED}`,
      { podNames: false, hosts: false, labels: ['app'] },
      [],
    ],
    [
      'kubernetes cluster.local {\npods verified\ntopology auto\n}',
      { podNames: false, hosts: true, labels: [] },
      [],
    ],
    [
      `metadata\nlog . "{/kubernetes/client-zone}"\n${VERIFIED}`,
      { podNames: false, hosts: true, labels: [] },
      [],
    ],
    [
      `metadata\nlog . "{/kubernetes/client-namespace}"\n${INSECURE}`,
      undefined,
      ['3:7: warning: without `pods verified` in kubernetes nothing is known of the Pod that asks'],
    ],
    [
      `log . "{/kubernetes/client-namespace}"\n${VERIFIED}`,
      undefined,
      ['2:7: warning: without the directive metadata nothing is known of the Pod that asks'],
    ],
    [
      `autopath @kubernetes\n${INSECURE}`,
      undefined,
      [
        '2:10: warning: autopath @kubernetes does nothing without `pods verified` in kubernetes (usage: autopath [ZONE…] @kubernetes|@query|FILE)',
      ],
    ],
  ]
  for (const [lines, clients, told] of cases) {
    const setup = setupOf(`. {\n${lines}\n}`)
    t.same(setup.clients, [clients], lines)
    t.same(setup.told, told, lines)
  }
})

t.test('server blocks that watch one cluster share its table', async t => {
  const block = (zone: string, label: string, kubernetes = VERIFIED): string =>
    `${zone} {\nmetadata\nlog . "{/kubernetes/client-label/${label}}"\n${kubernetes}\n}`
  const { clients, keys } = setupOf(
    `${block('a', 'z')}\n${block('b', 'y')}\nc {\n${VERIFIED}\n}\nd {\nautopath @kubernetes\n${VERIFIED}\n}`,
  )
  const all = { podNames: false, hosts: false, labels: ['y', 'z'] }
  t.same(clients, [all, all, all, all])
  t.equal(keys, 1)
  const apart = setupOf(
    `${block('a', 'z')}\nb {\n${INSECURE}\n}\nc {\nkubernetes cluster.local {\npods verified\nlabels a=b\n}\n}`,
  )
  t.same(apart.clients, [{ podNames: false, hosts: false, labels: ['z'] }, undefined, undefined])
  t.equal(apart.keys, 3)
})
