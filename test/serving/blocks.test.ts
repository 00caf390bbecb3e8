// Which queries the fast path answers in front of which plugins, and that it says what the chain says.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readSamples, SILENT } from '../../src/observe/samples.ts'
import { hostsWord } from '../../src/plugin/hosts/hosts.ts'
import { hostsKey } from '../../src/plugin/hosts/load.ts'
import { type Decoded, decodeMessage } from '../support/dns-message.ts'
import { encodeQuestion, type Question } from '../support/dns-question.ts'
import { ServerBlock } from '../support/server-block.ts'
import { parseWord } from '../support/words.ts'

const CLUSTER = 'kubernetes cluster.local in-addr.arpa {\nfallthrough in-addr.arpa\n}'

class Block extends ServerBlock {
  constructor(t: Test, lines: string) {
    super(lines)
    t.same(this.problems.list, [], lines)
    t.teardown(() => this.stop())
  }

  /** Whether the fast path answers `NAME TYPE`; if so, it must say what the chain says, its addresses in any order. */
  async isFast(t: Test, question: string, more: Partial<Question> = {}): Promise<boolean> {
    const packet = packetOf(question, more)
    const fast = this.fast(packet)
    if (fast === undefined) return false
    const slow = await this.slow(packet)
    t.same(sorted(fast), slow && sorted(slow), `${question}: as the chain answers`)
    return true
  }
}

/** A message whose answer section is in alphabetical order. */
function sorted(octets: Uint8Array): Decoded {
  const message = decodeMessage(octets)
  const answer = message.records.answer.toSorted((a, b) => (a.text < b.text ? -1 : 1))
  return { ...message, answer: answer.map(({ text }) => text), records: { ...message.records, answer } }
}

/** A name without a final dot stands below svc.cluster.local. */
function packetOf(question: string, more: Partial<Question> = {}): Uint8Array {
  const [text = '', type = 'A'] = question.split(' ')
  const name = text.endsWith('.') ? text : `${text}.svc.cluster.local.`
  return encodeQuestion({ name, type, ...more }, 4711)
}

t.test('which queries the fast path answers', async t => {
  const folder = t.testdir({
    search: 'search demo.svc.cluster.local svc.cluster.local',
    names: '10.9.0.1 node-1 node-1.example\n10.9.0.2 *.example\n10.9.0.3 shadow.demo.svc.cluster.local\n',
  })
  const hosts = (options: string, zones = ''): string =>
    `hosts ${join(folder, 'names')} ${zones} {\n${options}\n}`
  const usual = [
    'web.demo',
    'web.demo AAAA',
    'hl.demo',
    'nope.demo',
    'cluster.local. SOA',
    '1.0.0.10.in-addr.arpa. PTR',
  ]
  const cases: [lines: string, fast: string[], later: string[]][] = [
    ['errors\nloadbalance', [...usual, 'web.demo ANY'], ['9.9.9.9.in-addr.arpa. PTR', 'example.org.']],
    ['debug\ncancel 1s\nroot .\nbufsize 600\nchaos', usual, ['example.org.']],
    [
      hosts('fallthrough'),
      [...usual, 'shadowed.demo', 'x.shadow.demo', 'web.demo ANY'],
      ['node-1.', 'shadow.demo', 'SHADOW.demo TXT', '1.0.9.10.in-addr.arpa. PTR', 'a.example.'],
    ],
    [hosts('fallthrough cluster.local'), usual, ['shadow.demo', 'org. A']],
    [hosts('', 'example'), usual, ['a.example.', '1.0.9.10.in-addr.arpa. PTR']],
    [hosts('fallthrough example'), ['1.0.0.10.in-addr.arpa. PTR'], ['web.demo', 'nope.demo']],
    [hosts(''), ['1.0.0.10.in-addr.arpa. PTR'], ['web.demo', 'nope.demo AAAA', 'cluster.local. SOA']],
    ['any', usual, ['web.demo ANY', 'nope.demo ANY']],
    ['local', usual, ['localhost.demo', 'LOCALHOST.cluster.local.', '1.0.0.127.in-addr.arpa. PTR']],
    ['local {\nlocalhost_prefix off\n}', [...usual, 'localhost.demo'], ['127.in-addr.arpa. SOA']],
    ['minimal', [...usual, 'web.demo SRV', 'cluster.local. NS'], ['example.org.']],
    [
      'template ANY ANY reddog.microsoft.com {\nrcode NXDOMAIN\n}\ntemplate ANY ANY internal.cloudapp.net {\nmatch x\nrcode NXDOMAIN\nfallthrough\n}',
      [...usual, 'web.demo ANY'],
      ['a.reddog.microsoft.com.'],
    ],
    ['template IN AAAA', ['web.demo', 'web.demo SRV', 'nope.demo'], ['web.demo AAAA', 'web.demo ANY']],
    [
      'template ANY AAAA .\ncache 30',
      ['web.demo', 'cluster.local. SOA'],
      ['web.demo AAAA', 'nope.demo AAAA'],
    ],
    [
      'template IN AAAA\ntemplate IN A local',
      ['web.demo SRV', '1.0.0.10.in-addr.arpa. PTR'],
      ['web.demo', 'web.demo AAAA'],
    ],
    ['template IN AAAA\ntemplate IN ANY example.org', ['web.demo'], ['web.demo AAAA']],
    [
      'template IN ANY DEMO.svc.cluster.local',
      ['cluster.local. SOA', 'web.other'],
      ['web.demo', 'nope.demo'],
    ],
    ['template IN ANY', [], usual],
    ['dns64 {\nallow_ipv4\n}\ncache 30', ['web.demo', 'web.demo ANY', 'nope.demo'], ['web.demo AAAA']],
    ['metadata', usual, ['example.org.']],
    ['k8s_external example.org', usual, ['web.demo.example.org.']],
    [
      'k8s_external example.org in-addr.arpa {\nfallthrough example.net in-addr.arpa\n}',
      usual,
      ['dns.in-addr.arpa.', 'web.demo.example.org.'],
    ],
    ['k8s_external {\nfallthrough\n}', usual, ['web.demo.', 'dns.']],
    ['k8s_external', [], usual],
    [
      `autopath ${join(folder, 'search')}`,
      ['web.other', 'nope.other AAAA', 'cluster.local. SOA', '1.0.0.10.in-addr.arpa. PTR'],
      ['web.demo', 'nope.demo', 'a.b.DEMO'],
    ],
    ['acl {\nblock net 10.0.0.7\n}', [], usual],
    ['acl {\nallow net 10.0.0.0/8\nblock\n}\nlog\nany', usual, ['web.demo ANY', 'example.org.']],
    ['header {\nresponse set ra\n}', usual, ['example.org.']],
    [
      `local\nany\nminimal\n${hosts('fallthrough')}`,
      usual,
      ['web.demo ANY', 'localhost.demo', 'shadow.demo'],
    ],
  ]
  for (const [lines, fast, later] of cases) {
    const block = new Block(t, `${lines}\n${CLUSTER}`)
    for (const question of fast) t.ok(await block.isFast(t, question), `${lines}: ${question} is fast`)
    for (const question of later) t.notOk(await block.isFast(t, question), `${lines}: ${question} is not`)
  }
})

t.test('k3s: a name of the cluster that comes into the hosts file is answered from it', async t => {
  const file = join(t.testdir({ NodeHosts: '10.9.0.1 node-1\n' }), 'NodeHosts')
  const hosts = `hosts ${file} {\nttl 60\nreload 15s\nfallthrough\n}`
  const block = new Block(t, `${hosts}\ncache 30\nloadbalance\n${CLUSTER}`)
  t.ok(await block.isFast(t, 'web.demo'))
  writeFileSync(file, '10.9.0.1 node-1\n10.9.0.9 web.demo.svc.cluster.local\n')
  const { config } = parseWord(hostsWord, hosts)
  block.images.set(hostsKey(config!), config!.loaded.image)
  t.notOk(await block.isFast(t, 'web.demo'))
  const reply = await block.slow(packetOf('web.demo'))
  t.same(reply && decodeMessage(reply).answer, ['web.demo.svc.cluster.local. 30 IN A 10.9.0.9'])
  t.ok(await block.isFast(t, 'hl.demo', { edns: true }), 'other names stay fast')
})

t.test('what a plugin before the cache takes is not answered out of it', async t => {
  const block = new Block(t, `local\nany\ncache 30\nhosts {\n10.0.0.9 a.example\nfallthrough\n}`)
  for (const question of ['a.example.', 'a.example. ANY', 'localhost.a.example.']) {
    const packet = packetOf(question)
    t.equal(block.fast(packet), undefined)
    await block.slow(packet)
  }
  t.ok(await block.isFast(t, 'a.example.'), 'what hosts said is cached')
  t.notOk(await block.isFast(t, 'a.example. ANY'))
  t.notOk(await block.isFast(t, 'localhost.a.example.'))
})

t.test('the log has the size of the reply to the name that was asked, whatever was asked for it', async t => {
  const folder = t.testdir({ search: 'search one.test', names: '10.0.0.9 x\n' })
  const hosts = `hosts ${join(folder, 'names')}`
  const block = new Block(t, `log . "{name} {rsize}"\nautopath ${join(folder, 'search')}\n${hosts}`)
  await block.slow(packetOf('x.one.test. AAAA'))
  const octets = 12 + 'x.one.test.'.length + 1 + 4
  t.ok(
    block.thread.lines.some(line => line.endsWith(`x.one.test. ${octets}`)),
    block.thread.lines.join(' / '),
  )
})

t.test('AAAA is not answered out of a cache behind dns64', async t => {
  const block = new Block(t, 'dns64 {\nallow_ipv4\n}\ncache 30')
  for (const question of ['a.example. A', 'a.example. AAAA']) await block.slow(packetOf(question))
  t.ok(await block.isFast(t, 'a.example. A'))
  t.notOk(await block.isFast(t, 'a.example. AAAA'))
})

t.test('bufsize bounds both paths, and never gives a client more than it takes', async t => {
  const cases: [lines: string, udpSize: number | undefined, octetsMax: number, fits: boolean][] = [
    ['', undefined, 512, false],
    ['', 4096, 1232, false],
    ['bufsize 512', 4096, 512, false],
    ['bufsize 700', 4096, 700, false],
    ['bufsize 4096', 4096, 4096, true],
    ['bufsize 4096', 1400, 1400, true],
    ['bufsize 4096', 600, 600, false],
    ['bufsize 4096', undefined, 512, false],
  ]
  for (const [lines, udpSize, octetsMax, fits] of cases) {
    const block = new Block(t, `${lines}\n${CLUSTER}`)
    const what = `${lines}, announced ${udpSize}`
    for (const question of ['hl.demo A', 'hl.demo SRV']) {
      const packet = packetOf(question, udpSize === undefined ? {} : { edns: { udpSize } })
      for (const reply of [block.fast(packet), await block.slow(packet)]) {
        if (reply === undefined) throw new Error('silence')
        t.ok(reply.length <= octetsMax, `${what}: ${question} in ${reply.length} octets`)
        if (question === 'hl.demo A') t.equal(!decodeMessage(reply).flags.tc, fits, `${what}: ${question}`)
        if (udpSize !== undefined)
          t.equal(decodeMessage(reply).edns?.udpSize, 1232, 'announces what it receives')
      }
    }
  }
})

t.test('class CH goes down the chain where chaos is, and is refused elsewhere', async t => {
  const version = packetOf('version.bind. TXT', { class: 'CH' })
  const plain = new Block(t, CLUSTER)
  t.match(decodeMessage(plain.fast(version)!), { rcode: 'REFUSED' })
  const chaos = new Block(t, `chaos 1.0\n${CLUSTER}`)
  t.equal(chaos.fast(version), undefined)
  t.match(decodeMessage((await chaos.slow(version))!), {
    rcode: 'NOERROR',
    answer: ['version.bind. 0 CH TXT "1.0"'],
  })
  const cluster = packetOf('web.demo', { class: 'CH' })
  t.match(decodeMessage((await chaos.slow(cluster))!), { rcode: 'REFUSED' })
})

t.test('silence is silence on the wire', async t => {
  const block = new Block(t, `acl {\ndrop type MX\n}`)
  t.equal(await block.slow(packetOf('a.example. MX')), undefined)
  t.equal(block.fast(packetOf('a.example. MX')), undefined)
})

t.test('queries are sampled with what became of them, whichever way they are answered', async t => {
  const block = new Block(t, `acl {\ndrop type MX\n}\n${CLUSTER}`)
  for (const question of ['web.demo A', 'Nope.demo AAAA']) block.ask(packetOf(question))
  await block.slow(packetOf('nope.demo MX'))
  block.thread.clock.advance(1000)
  t.same(
    block.samples.flatMap(octets => [...readSamples(octets)]),
    [
      { weight: 1, rcode: 0, client: '10.0.0.7', name: 'web.demo.svc.cluster.local.' },
      { weight: 1, rcode: 3, client: '10.0.0.7', name: 'nope.demo.svc.cluster.local.' },
      { weight: 1, rcode: SILENT, client: '10.0.0.7', name: 'nope.demo.svc.cluster.local.' },
    ],
  )
})
