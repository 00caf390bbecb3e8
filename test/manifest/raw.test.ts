import t from 'tap'
import { formatProblem } from '../../src/manifest/problem.ts'
import { parseManifest } from '../../src/manifest/raw.ts'
import fc, { runs } from '../support/properties.ts'

/** The objects in short, and the problems. */
function parse(text: string) {
  const { objects, problems } = parseManifest('f.yaml', text)
  return {
    objects: objects.map(o => `${o.kind} ${o.namespace}/${o.name}`),
    problems: problems.map(formatProblem),
  }
}

const service = (name: string): string => `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n`

t.test('what a file may hold', async t => {
  const cases: [title: string, text: string, objects: string[]][] = [
    ['nothing', '', []],
    ['only comments', '# nothing\n---\n# here\n', []],
    ['one object', service('a'), ['Service default/a']],
    ['a byte order mark', `\ufeff${service('a')}`, ['Service default/a']],
    ['carriage returns', service('a').replaceAll('\n', '\r\n'), ['Service default/a']],
    [
      'documents',
      `---\n${service('a')}---\n---\n${service('b')}...\n`,
      ['Service default/a', 'Service default/b'],
    ],
    [
      'JSON with tabs',
      '{\n\t"kind": "Service",\n\t"apiVersion": "v1",\n\t"metadata": {"name": "a"}\n}',
      ['Service default/a'],
    ],
    [
      'a List',
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}}\n- {apiVersion: v1, kind: Node, metadata: {name: b}}',
      ['Service default/a', 'Node /b'],
    ],
    [
      'a list of one kind, items without kind',
      'apiVersion: v1\nkind: ServiceList\nitems:\n- metadata: {name: a}\n- metadata: {name: b, namespace: c}',
      ['Service default/a', 'Service c/b'],
    ],
    ['an empty list', 'apiVersion: v1\nkind: PodList\nitems:', []],
    [
      'a list in a list',
      'kind: List\nitems:\n- kind: List\n  items:\n  - {apiVersion: v1, kind: Service, metadata: {name: a}}',
      ['Service default/a'],
    ],
    ['kinds without a part in DNS', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}', []],
    [
      'upper case',
      'apiVersion: v1\nkind: Service\nmetadata: {name: Web, namespace: Shop}',
      ['Service shop/web'],
    ],
    ['anchors and merges', `x-base: &m {namespace: shop}\n${service('a')}  <<: *m\n`, ['Service shop/a']],
  ]
  for (const [title, text, objects] of cases) t.same(parse(text), { objects, problems: [] }, title)
})

t.test('problems at their places', async t => {
  const known =
    'Namespace, Service, Endpoints, EndpointSlice, Pod, ReplicaSet, ReplicationController, Deployment, StatefulSet, DaemonSet, Node, ServiceImport, DNSRecord, DNSEndpoint, Ingress, StubDomain, Gateway, HTTPRoute, DNSPolicy'
  const cases: [text: string, problem: string][] = [
    ['a: [1,\nb: 2\n', 'f.yaml:2:1: error: broken YAML: '],
    ['a: 1\n b: 2\n', 'f.yaml:1:4: error: broken YAML: '],
    ['kind: Service\nkind: Service\n', "f.yaml:2:1: error: broken YAML: the key 'kind' is given twice"],
    ['a: *b\n', 'f.yaml:1:4: error: broken YAML: no anchor &b stands before *b'],
    ['hello\n', "f.yaml:1:1: error: 'hello' is no Kubernetes object"],
    ['- a\n- b\n', 'f.yaml:1:1: error: ["a","b"] is no Kubernetes object'],
    ['---\n# x\nmetadata: {name: a}\n', 'f.yaml:3:1: error: an object without kind'],
    [
      'apiVersion: v1\nkind: Servce\n',
      `f.yaml:2:7: warning: unknown kind 'Servce': not served (read are ${known})`,
    ],
    ['kind: constructor\n', "f.yaml:1:7: warning: unknown kind 'constructor'"],
    [
      'apiVersion: v1\nkind: Service\nmetadata:\n  namespace: b\n',
      'f.yaml:4:3: error: Service without a name',
    ],
    ['apiVersion: v1\nkind: Service\n', 'f.yaml:1:1: error: Service without a name'],
    [
      'apiVersion: v1\nkind: Service\nmetadata: {name: a_b}\n',
      "f.yaml:3:18: error: 'a_b' is no valid name of a Service",
    ],
    [
      'apiVersion: v1\nkind: Service\nmetadata: {name: a.b}\n',
      "f.yaml:3:18: error: 'a.b' is no valid name of a Service",
    ],
    [
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b.c}\n',
      "f.yaml:3:32: error: 'b.c' is no valid namespace",
    ],
    [
      'apiVersion: apps/v1\nkind: Service\nmetadata: {name: a}',
      "f.yaml:1:13: warning: kind Service of the API group 'apps' is not served",
    ],
    [
      'kind: Service\nmetadata: {name: a}',
      'f.yaml:1:7: warning: Service without apiVersion: read as if it had the usual one',
    ],
    [
      `{${'kind: List, items: [{'.repeat(5)}${'}]'.repeat(5)}}`,
      'f.yaml:1:85: error: lists within lists, more than 4 deep',
    ],
  ]
  for (const [text, problem] of cases) {
    const { problems } = parse(text)
    t.equal(problems[0]?.slice(0, problem.length), problem, JSON.stringify(text.slice(0, 60)))
  }
})

t.test('kinds of others are kept apart', async t => {
  const text =
    'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n---\n' +
    'apiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\n---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\n'
  const { objects, problems, custom } = parseManifest('f.yaml', text)
  t.same([objects, problems], [[], []])
  t.same(custom, [
    { kind: 'Service', group: 'serving.knative.dev', at: { file: 'f.yaml', line: 2, column: 7 } },
    { kind: 'GRPCRoute', group: 'gateway.networking.k8s.io', at: { file: 'f.yaml', line: 6, column: 7 } },
  ])
})

t.test('objects without a namespace are in that of the folder', async t => {
  const text = `${service('a')}---\napiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: own}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: c}\n`
  const { objects } = parseManifest('f.yaml', text, 'shop')
  t.same(
    objects.map(({ namespace, name }) => `${namespace}/${name}`),
    ['shop/a', 'own/b', '/c'],
  )
})

t.test('templates that were not rendered', async t => {
  const cases: [text: string, place: string][] = [
    ['apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}-web\n', '4:9'],
    [
      '{{- if .Values.web.enabled }}\napiVersion: v1\nkind: Service\nmetadata: {name: a}\n{{- end }}\n',
      '1:1',
    ],
    ['apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ include "x.fullname" . }}\n', '4:9'],
    [`${service('a')}---\napiVersion: v1\nkind: Service\nmetadata:\n  name: {{ template "x" $ }}\n`, '9:9'],
  ]
  for (const [text, place] of cases) {
    t.same(
      parse(text),
      {
        objects: [],
        problems: [
          `f.yaml:${place}: error: a template that was not rendered: nothing of this file is served; write what helm template NAME CHART prints`,
        ],
      },
      text,
    )
  }
  const alert = 'apiVersion: v1\nkind: ConfigMap\ndata:\n  rules: "{{ if $value }}x{{ end }}"\n'
  t.same(parse(alert), { objects: [], problems: [] }, 'a sound file may hold templates of others')
})

t.test('the good documents of a broken file', async t => {
  const { objects, problems } = parse(`${service('a')}---\nkind: [\n---\n${service('b')}`)
  t.same(objects, ['Service default/a', 'Service default/b'])
  t.ok(problems.length > 0)
})

t.test('the place of a field, or of what is nearest', async t => {
  const text =
    'apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  ports:\n    - port: 80\n    - port: 81\n'
  const { place } = parseManifest('f.yaml', text).objects[0]!
  t.same(place.at([]), { line: 1, column: 1 })
  t.same(place.at(['spec', 'ports', 1, 'port']), { line: 8, column: 13 })
  t.same(place.at(['spec', 'ports', 1, 'name']), { line: 8, column: 7 }, 'an absent field')
  t.same(place.at(['spec', 'ports', 9, 'name']), { line: 7, column: 5 }, 'an absent item')
  t.same(place.at(['status', 'podIP']), { line: 1, column: 1 }, 'an absent branch')
})

t.test('hostile files end quickly and are only problems', async t => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (let i = 0; i < 9; i++)
    bomb.push(`${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${Array(9).fill(`*${'abcdefghi'[i]}`)}]`)
  const cases: [title: string, text: string][] = [
    ['aliases of aliases', bomb.join('\n')],
    ['brackets', '['.repeat(100_000)],
    ['nested maps', '{a: '.repeat(20_000)],
    ['many keys', Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n')],
    ['zero octets', '\0'.repeat(1000)],
  ]
  for (const [title, text] of cases) {
    const { objects, problems } = parse(text)
    t.same(objects, [], title)
    t.ok(problems.length > 0, title)
    t.match(problems[0], /^f\.yaml:\d+:\d+: error: /)
  }
})

t.test('__proto__ is a name like others', async t => {
  const [object] = parseManifest(
    'f.yaml',
    `${service('a')}  labels: {__proto__: x, constructor: y}\n`,
  ).objects
  t.same(
    [...object!.labels],
    [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ],
  )
})

t.test('no text makes it throw', async t => {
  const line = fc.constantFrom(
    '---',
    'kind: Service',
    'kind: List',
    'items:',
    '- a',
    '  name: x',
    'metadata:',
    '&a *a',
    '{',
    ']',
    '"',
    '|',
    '? x',
    '%YAML 9',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(line).map(lines => lines.join('\n')),
      ),
      text => {
        for (const { line, column } of parseManifest('f', text).problems)
          if (line < 1 || column < 1) return false
        return true
      },
    ),
    { numRuns: runs(300) },
  )
  t.pass('objects and problems with places')
})
