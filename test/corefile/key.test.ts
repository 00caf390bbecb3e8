import t from 'tap'
import { parseKey, readKey, SCHEMES } from '../../src/corefile/key.ts'
import { formatProblem, Problems } from '../../src/corefile/problem.ts'
import type { Token } from '../../src/corefile/token.ts'
import { parsePort } from '../../src/shared/upstream-address.ts'

const token = (text: string): Token => ({
  text,
  written: text,
  quoted: false,
  file: 'Corefile',
  line: 4,
  column: 2,
  startsLine: true,
})

t.test('keys', async t => {
  const cases: [text: string, expected: string][] = [
    ['.', 'dns . -'],
    ['.:53', 'dns . 53'],
    [':1053', 'dns . 1053'],
    ['Example.org', 'dns example.org. -'],
    ['example.org.:65535', 'dns example.org. 65535'],
    ['dns://example.org:1', 'dns example.org. 1'],
    ['tls://.:853', 'tls . 853'],
    ['https://example.org', 'https example.org. -'],
    ['quic://.', 'quic . -'],
    ['grpc://.', 'grpc . -'],
    ['https3://.', 'https3 . -'],
    ['10.0.0.0/8', 'dns 10.in-addr.arpa. -'],
    ['10.0.0.0/8:1053', 'dns 10.in-addr.arpa. 1053'],
    ['10.0.0.0/15:53', 'dns 0.10.in-addr.arpa.,1.10.in-addr.arpa. 53'],
    ['2001:db8::/32', 'dns 8.b.d.0.1.0.0.2.ip6.arpa. -'],
    ['tls://2001:db8::/32:8853', 'tls 8.b.d.0.1.0.0.2.ip6.arpa. 8853'],
  ]
  for (const [text, expected] of cases) {
    const parts = parseKey(text)
    if ('reason' in parts) t.fail(`${text}: ${parts.reason}`)
    else {
      const { scheme, zones, port } = parts.value
      t.equal(`${scheme} ${zones.join()} ${port ?? '-'}`, expected, text)
    }
  }
})

t.test('what is no key is told at its word', async t => {
  const port = 'the port must be a number from 1 to 65535'
  const v6 = 'not a zone name; an IPv6 reverse zone is written as a network, such as 2001:db8::/32'
  const network = 'not a network: an address without holes, a slash and a prefix length are needed'
  const cases: [text: string, message: string][] = [
    ['.:0', port],
    ['.:65536', port],
    ['.:', port],
    ['.:dns', port],
    ['.:+53', port],
    ['example.org:53x', port],
    ['10.0.0.0/8:0', port],
    ['2001:db8::1', v6],
    ['::1', v6],
    ['10.0.0.0/33', network],
    ['2001:db8::/200', network],
    ['a..b', 'a zone name holds no empty label'],
    ['tls://', 'empty zone name'],
  ]
  for (const [text, message] of cases) {
    const problems = new Problems()
    t.same(readKey(token(text), problems), [], text)
    t.same(problems.list.map(formatProblem), [
      `Corefile:4:2: error: ${message} (found ${JSON.stringify(text)})`,
    ])
  }
})

t.test('an unknown scheme names those there are', async t => {
  const problems = new Problems()
  t.same(readKey(token('http://example.org'), problems), [])
  const [problem] = problems.list
  t.equal(problem?.message, 'unknown scheme')
  t.same(
    problem?.allowed,
    SCHEMES.map(scheme => `${scheme}://`),
  )
})

t.test('a network that covers several zones gives a key for each', async t => {
  const word = token('10.0.0.0/12')
  const keys = readKey(word, new Problems())
  t.equal(keys.length, 16)
  t.same(keys[15], {
    text: '10.0.0.0/12',
    scheme: 'dns',
    zone: '15.10.in-addr.arpa.',
    port: undefined,
    token: word,
  })
})

t.test('ports', async t => {
  for (const [text, port] of [
    ['1', 1],
    ['53', 53],
    ['00065', 65],
    ['65535', 65535],
  ] as const)
    t.equal(parsePort(text), port)
  for (const text of ['', '0', '65536', '-1', '1.5', '1e3', ' 53', '000053'])
    t.equal(parsePort(text), undefined, text)
})
