// Namespaces by their labels: in the lines of `policy` and in DNSPolicies, and labels that change while asked.

import t from 'tap'
import { LABELS_MAX_OCTETS } from '../../../src/table/namespace-labels.ts'
import { slimService } from '../../support/slim-cluster.ts'
import { type Labels, namespace, policy, policyWorld, type Who } from './policy-world.ts'

const LABELS: Readonly<Record<string, Labels>> = {
  red: { team: 'a', tier: 'prod' },
  blue: { team: 'b', 'example.org/legacy': '' },
  shared: { shared: 'true' },
}

/** Services `web` in three namespaces, and Pods in these and in `dark`, of which there is no Namespace. */
function world(lines: string) {
  const made = policyWorld({
    policy: lines,
    namespaces: LABELS,
    services: [
      slimService('red/web', '10.0.0.1'),
      slimService('blue/web', '10.0.0.2'),
      slimService('shared/web', '10.0.0.3'),
    ],
    behind: 'hosts {\n192.0.2.1 www.test ok.test\nfallthrough\n}',
  })
  t.same(made.block.problems.list, [], lines)
  /** Of a namespace its Service `web`. */
  const ask = (who: Who, name: string): Promise<string> =>
    made.ask(who, LABELS[name] === undefined ? name : `web.${name}.svc.cluster.local`)
  return { ...made, ask }
}

const DENY = 'default deny'
const IP: Readonly<Record<string, string>> = { red: '10.0.0.1', blue: '10.0.0.2', shared: '10.0.0.3' }

t.test('who is meant, and what', async t => {
  const rows: [lines: string, who: Who, question: string, isAnswered: boolean][] = [
    [`${DENY}\nallow from team=a to shared=true`, 'red', 'shared', true],
    [`${DENY}\nallow from team=a to shared=true`, 'red', 'blue', false],
    [`${DENY}\nallow from team=a to shared=true`, 'blue', 'shared', false],
    [`${DENY}\nallow from team=a to shared=true`, 'host', 'shared', false],
    [`${DENY}\nallow from team=a to shared=true`, 'nobody', 'shared', false],
    [`${DENY}\nallow from team=a,tier=prod to *`, 'red', 'blue', true],
    [`${DENY}\nallow from team=a,tier!=prod to *`, 'red', 'blue', false],
    [`${DENY}\nallow from team in (a, b) to shared`, 'blue', 'shared', true],
    [`${DENY}\nallow from "team in (b,c)" tier to shared`, 'red', 'shared', false],
    [`${DENY}\nallow from "team in (b,c)" label:tier to shared`, 'red', 'shared', true],
    [`${DENY}\nallow from team notin (a) to shared`, 'blue', 'shared', true],
    [`${DENY}\nallow from !tier to red`, 'blue', 'red', true],
    [`${DENY}\nallow from !tier to red`, 'red', 'blue', false],
    [`${DENY}\nallow from example.org/legacy to red`, 'blue', 'red', true],
    [`${DENY}\nallow from name:bl* team=z to red`, 'blue', 'red', true],
    [`${DENY}\nallow from * to kubernetes.io/metadata.name=red`, 'blue', 'red', true],
    [`${DENY}\nshared shared=true`, 'nobody', 'shared', true],
    [`${DENY}\nshared shared=true`, 'host', 'red', false],
    ['deny from !shared to team=b', 'red', 'blue', false],
    ['deny from !shared to team=b', 'red', 'shared', true],
    ['deny from !shared to team=b', 'host', 'blue', true],
    // Whose labels nobody knows is meant by what denies, and by nothing that allows.
    ['deny from team=a to team=b', 'dark', 'blue', false],
    ['deny from team=a to team=b', 'dark', 'red', true],
    [`${DENY}\nallow from !team to *`, 'dark', 'blue', false],
    ['names from team=a block test', 'dark', 'www.test', false],
    ['names from team=a allow ok.test', 'dark', 'ok.test', false],
    ['names from team=a allow ok.test', 'red', 'ok.test', true],
    ['names from team=a allow ok.test', 'red', 'www.test', false],
    ['names from team=a allow ok.test', 'blue', 'www.test', true],
    ['names from team=a allow ok.test', 'nobody', 'www.test', true],
  ] // biome-ignore format: a table
  for (const [lines, who, question, isAnswered] of rows) {
    const { ask, block } = world(lines)
    const answer = isAnswered ? `NOERROR ${IP[question] ?? '192.0.2.1'}` : 'NXDOMAIN'
    t.equal(await ask(who, question), answer, `${lines}: ${who} ${question}`)
    await block.stop()
  }
})

t.test('labels change, namespaces come and go, and the next query is judged by it', async t => {
  const { cluster, ask, block, refused } = world(`${DENY}\nallow from team=a to !closed`)
  const steps: [what: string, change: () => void, answer: string][] = [
    ['as it was', () => undefined, 'NOERROR 10.0.0.2'],
    ['the client’s label goes', () => cluster.upsert('Namespace', namespace('red', {})), 'NXDOMAIN'],
    ['it comes back', () => cluster.upsert('Namespace', namespace('red', { team: 'a' })), 'NOERROR 10.0.0.2'],
    ['the other is closed', () => cluster.upsert('Namespace', namespace('blue', { closed: '' })), 'NXDOMAIN'],
    ['it is opened', () => cluster.upsert('Namespace', namespace('blue', {})), 'NOERROR 10.0.0.2'],
    ['it goes', () => cluster.remove('Namespace', 'blue'), 'NXDOMAIN'],
    ['it comes', () => cluster.upsert('Namespace', namespace('blue', {})), 'NOERROR 10.0.0.2'],
    ['a list without it', () => cluster.replace('Namespace', [namespace('red', { team: 'a' })]), 'NXDOMAIN'],
    [
      'more labels than are kept',
      () =>
        cluster.replace('Namespace', [
          namespace('red', {
            team: 'a',
            ...Object.fromEntries(
              Array.from({ length: LABELS_MAX_OCTETS / 64 }, (_, i) => [`k${i}`, 'v'.repeat(60)]),
            ),
          }),
          namespace('blue', {}),
        ]),
      'NXDOMAIN',
    ],
  ]
  for (const [what, change, answer] of steps) {
    change()
    t.equal(await ask('red', 'blue'), answer, what)
  }
  t.same(refused, [
    `Namespace red: more than ${LABELS_MAX_OCTETS} octets of labels; to selectors they are not known`,
  ])
  await block.stop()
})

t.test('DNSPolicies', async t => {
  const { cluster, ask, block, refused } = world('objects')
  const rows: [namespaces: object, blue: boolean, shared: boolean][] = [
    [{ allowSelectors: [{ matchLabels: { shared: 'true' } }] }, false, true],
    [{ allowSelectors: [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['b', 'c'] }] }] }, true, false],
    [{ allowSelectors: [{ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['b'] }] }] }, false, true],
    [{ allowSelectors: [{ matchExpressions: [{ key: 'example.org/legacy', operator: 'Exists' }] }] }, true, false],
    [{ allowSelectors: [{ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }] }, false, true],
    [{ allowSelectors: [{ matchLabels: { team: 'b', shared: 'true' } }] }, false, false],
    [{ allowSelectors: [{}] }, true, true],
    [{ allowSelectors: [] }, false, false],
    [{ allow: ['blue'], allowSelectors: [{ matchLabels: { shared: 'true' } }] }, true, true],
    [{ blockSelectors: [{ matchLabels: { team: 'b' } }] }, false, true],
    [{ block: ['shared'], blockSelectors: [{ matchLabels: { team: 'z' } }] }, true, false],
  ] // biome-ignore format: a table
  for (const [namespaces, blue, shared] of rows) {
    const text = JSON.stringify(namespaces)
    cluster.upsert('DNSPolicy', policy('red/p', { namespaces }))
    t.equal(await ask('red', 'blue'), blue ? 'NOERROR 10.0.0.2' : 'NXDOMAIN', `${text}: blue`)
    t.equal(await ask('red', 'shared'), shared ? 'NOERROR 10.0.0.3' : 'NXDOMAIN', `${text}: shared`)
    t.equal(await ask('red', 'red'), 'NOERROR 10.0.0.1', `${text}: its own`)
  }
  cluster.upsert(
    'DNSPolicy',
    policy('red/p', { namespaces: { blockSelectors: [{ matchLabels: { team: 'x' } }] } }),
  )
  t.equal(await ask('red', 'blue'), 'NOERROR 10.0.0.2')
  cluster.upsert('Namespace', namespace('blue', { team: 'x' }))
  t.equal(await ask('red', 'blue'), 'NXDOMAIN', 'a label is followed')
  t.same(refused, [])
  await block.stop()
})

t.test('selectors that are none are refused with their place', t => {
  const rows: [selectors: unknown, flaw: RegExp][] = [
    ['team=a', /^spec\.namespaces\.allowSelectors: this is no list$/],
    [[7], /^spec\.namespaces\.allowSelectors\.0: 7 is no label selector$/],
    [[{ team: 'a' }], /^spec\.namespaces\.allowSelectors\.0\.team: a label selector has matchLabels and matchExpressions$/],
    [[{ matchLabels: { 'a b': '' } }], /\.0\.matchLabels: 'a b' is no label key$/],
    [[{ matchLabels: { a: 'x,y' } }], /\.0\.matchLabels\.a: 'x,y' is no label value$/],
    [[{ matchLabels: { a: 1 } }], /\.0\.matchLabels\.a: 1 is no label value$/],
    [[{ matchExpressions: {} }], /\.0\.matchExpressions: this is no list$/],
    [[{ matchExpressions: [null] }], /\.0\.matchExpressions\.0\.key: nothing is no label key$/],
    [[{ matchExpressions: [{ key: 'a', operator: 'Is' }] }], /\.0\.operator: the operator is none of In, NotIn, Exists, DoesNotExist$/],
    [[{ matchExpressions: [{ key: 'a', operator: 'In' }] }], /\.0\.values: In needs values$/],
    [[{ matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] }], /\.0\.values: Exists has no values$/],
    [[{ matchExpressions: [{ key: 'a', operator: 'In', values: ['b)'] }] }], /\.0\.values: these are no label values$/],
    [[{ matchExpressions: [{ key: 'a', operator: 'In', values: Array(65).fill('b') }] }], /\.0\.values: more than 64 values$/],
    [[{ matchExpressions: Array(33).fill({ key: 'a', operator: 'Exists' }) }], /\.0: more than 32 labels and expressions$/],
    [[{ matchExpressions: Array(32).fill({ key: 'a', operator: 'In', values: Array(64).fill('b'.repeat(63)) }) }], /\.0: this selector is too long$/],
    [Array(17).fill({}), /^spec\.namespaces\.allowSelectors: more than 16$/],
  ] // biome-ignore format: a table
  for (const [allowSelectors, flaw] of rows)
    t.match(policy('red/p', { namespaces: { allowSelectors } }).flaw, flaw)
  t.end()
})
