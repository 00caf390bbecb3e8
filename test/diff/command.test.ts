// `seamark diff` between servers whose answers are known: what it prints, and its exit status.

import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type DiffOptions, diffCommand } from '../../src/diff/command.ts'
import { folderQuestions } from '../../src/diff/folder.ts'
import { reverseName } from '../../src/shared/ip.ts'
import { startFixedUpstream } from '../support/fixed-upstream.ts'
import { freePort } from '../support/free-port.ts'
import { serveCorefile } from '../support/served-corefile.ts'
import { a, replyTo, UpstreamStub } from '../support/upstream-stub.ts'

const server = async (
  t: Test,
  records: readonly string[],
  truncated = false,
): Promise<DiffOptions['here']> => {
  const upstream = await startFixedUpstream(records, truncated)
  t.teardown(upstream.close)
  return { host: '127.0.0.1', port: upstream.port }
}

/** Runs the command to its end. */
async function diff(options: Partial<DiffOptions>): Promise<{ status: number; output: string }> {
  const nowhere = { host: '127.0.0.1', port: 1 }
  let output = ''
  const status = await diffCommand(
    // Longer than any machine is busy: what does not answer refuses.
    {
      here: nowhere,
      there: nowhere,
      of: '',
      zone: 'cluster.local',
      most: 100,
      timeoutMs: 60_000,
      json: false,
      ...options,
    },
    text => {
      output += text
    },
  )
  return { status, output }
}

const COMMON = [
  'same.org. 30 IN A 192.0.2.1',
  'same.org. 30 IN A 192.0.2.2',
  'alias.org. 30 IN CNAME same.org.',
  'txt.org. 30 IN TXT text',
]
const list = (t: Test, text: string): string => join(t.testdir({ list: text }), 'list')

t.test('the same answers: TTLs and the order of records are no difference', async t => {
  const here = await server(t, COMMON)
  const there = await server(
    t,
    [...COMMON].reverse().map(record => record.replace(' 30 ', ' 7 ')),
  )
  const of = list(t, 'same.org A\nALIAS.org CNAME\ntxt.org TXT\nmissing.org A\n')
  const { status, output } = await diff({ here, there, of })
  t.equal(status, 0, output)
  t.match(
    output,
    /^4 questions, 0 with different answers\nmedian and 99th percentile, ms: 127\.0\.0\.1:\d+ [\d.]+ [\d.]+; /,
  )
})

t.test('different answers are printed, and only they', async t => {
  const here = await server(t, [...COMMON, 'other.org. 30 IN A 192.0.2.3'])
  const there = await server(t, [
    ...COMMON,
    'other.org. 30 IN A 192.0.2.4',
    'only.org. 30 IN AAAA 2001:db8::1',
  ])
  const of = list(t, 'same.org\nother.org\nonly.org AAAA\nthis is no question\n')
  const { status, output } = await diff({ here, there, of })
  t.equal(status, 1)
  const plain = output
    .replaceAll(`127.0.0.1:${here.port}`, 'HERE')
    .replaceAll(`127.0.0.1:${there.port}`, 'THERE')
  const [shown, summary] = plain.split(/(?=^\d+ questions)/m)
  t.strictSame(
    shown!
      .trim()
      .split(/\n(?=\S)/)
      .map(each => each.replaceAll(/ {2,}/g, ' '))
      .sort(),
    [
      'only.org. AAAA\n HERE NXDOMAIN\n THERE NOERROR AAAA 2001:db8::1',
      'other.org. A\n HERE NOERROR A 192.0.2.3\n THERE NOERROR A 192.0.2.4',
    ],
  )
  t.match(summary, /^3 questions, 2 with different answers; 1 lines are no queries\n/)
  const json = JSON.parse((await diff({ here, there, of, json: true })).output) as {
    differences: { name: string; there: { records: string[] } }[]
  }
  t.strictSame(json.differences.map(({ name }) => name).sort(), ['only.org.', 'other.org.'])
})

t.test('answers that change by themselves are no difference', async t => {
  const here = await server(t, COMMON)
  const there = await UpstreamStub.start()
  t.teardown(() => there.pause())
  let times = 0
  there.script = (asked, back) =>
    back.send(replyTo(asked, { answer: [a('same.org', 30, `192.0.2.${10 + ++times}`)] }))
  const { status, output } = await diff({
    here,
    there: { host: '127.0.0.1', port: there.port },
    of: list(t, 'same.org A\n'),
  })
  t.equal(status, 0)
  t.match(
    output,
    /^1 questions, 0 with different answers; 1 more have answers that change by themselves: same\.org\.\n/,
  )
})

t.test('nothing to compare', async t => {
  const here = await server(t, COMMON)
  const nobody = { host: '127.0.0.1', port: await freePort() }
  const of = list(t, 'same.org A\n')
  t.strictSame(await diff({ here, there: nobody, of }), {
    status: 2,
    output: `seamark diff: no reply from 127.0.0.1:${nobody.port}\n`,
  })
  t.match(await diff({ here, there: here, of: join(of, 'nowhere') }), {
    status: 2,
    output: /reading .*nowhere: ENOTDIR/,
  })
  t.match(await diff({ here, there: here, of: list(t, 'no question here\n') }), {
    status: 2,
    output: /has no questions/,
  })
})

t.test('a cut reply is asked for again over TCP', async t => {
  const here = await server(t, COMMON)
  const there = await UpstreamStub.start()
  t.teardown(() => there.pause())
  const over: string[] = []
  there.script = (asked, back) => {
    over.push(asked.transport)
    const answer = ['192.0.2.1', '192.0.2.2'].map(address => a('same.org', 30, address))
    back.send(replyTo(asked, asked.transport === 'udp' ? { tc: true } : { answer }))
  }
  const { status } = await diff({
    here,
    there: { host: '127.0.0.1', port: there.port },
    of: list(t, 'same.org A\n'),
  })
  t.equal(status, 0)
  t.strictSame(over, ['udp', 'tcp'])
})

const SERVICES = (...names: string[]): string =>
  names
    .map(
      name =>
        `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec:\n  clusterIP: 10.96.1.${name.length}\n  ports: [{name: http, port: 80}]\n`,
    )
    .join('---\n')

t.test('all names of a folder', async t => {
  const folder = t.testdir({ 'web.yaml': SERVICES('web', 'store') })
  const questions = await folderQuestions(folder, 'k8s.example')
  t.ok(Array.isArray(questions))
  const asked = (questions as { name: string; type: string }[]).map(({ name, type }) => `${name} ${type}`)
  for (const question of [
    'k8s.example. SOA',
    'web.shop.svc.k8s.example. A',
    'web.shop.svc.k8s.example. SRV',
    '_http._tcp.store.shop.svc.k8s.example. SRV',
    '3.1.96.10.in-addr.arpa. PTR',
    'seamark-diff-missing.shop.svc.k8s.example. A',
  ])
    t.ok(asked.includes(question), question)
  t.equal(new Set(asked).size, asked.length, 'each once')
  t.match(await folderQuestions(join(folder, 'nowhere'), 'k8s.example'), /nowhere/)
  t.equal(reverseName('fd00::1a'), `a.1.${'0.'.repeat(28)}d.f.ip6.arpa.`)
})

t.test('a server with a Service less than another one', async t => {
  const serve = async (text: string): Promise<DiffOptions['here'] & { readonly manifests: string }> => {
    const served = await serveCorefile(
      t,
      ({ dns }, folder) => `.:${dns} {
  bind 127.0.0.1
  kubernetes cluster.local in-addr.arpa {
    manifests ${folder}/manifests
  }
}
`,
      { files: { 'manifests/shop.yaml': text } },
    )
    return { host: '127.0.0.1', port: served.port, manifests: join(served.folder, 'manifests') }
  }
  const here = await serve(SERVICES('web'))
  const there = await serve(SERVICES('web', 'store'))
  const of = there.manifests
  const { status, output } = await diff({ here, there, of })
  t.equal(status, 1)
  const different = [...output.matchAll(/^(\S+) (\S+)\n {2}/gm)].map(([, name, type]) => `${name} ${type}`)
  t.strictSame(different.sort(), [
    '5.1.96.10.in-addr.arpa. PTR',
    '_http._tcp.store.shop.svc.cluster.local. SRV',
    'store.shop.svc.cluster.local. A',
    'store.shop.svc.cluster.local. AAAA',
    'store.shop.svc.cluster.local. SRV',
  ])
  t.equal((await diff({ here: there, there, of })).status, 0, 'and itself')
})
