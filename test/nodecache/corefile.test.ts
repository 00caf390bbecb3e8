// The template of node-local-dns, filled in from what the cluster says.

import t from 'tap'
import { KubeDnsError, NO_KUBE_DNS_CONFIG, readKubeDnsConfig } from '../../src/nodecache/config-map.ts'
import { fillTemplate, serviceVariable } from '../../src/nodecache/corefile.ts'
import { checkConfiguration } from '../../src/setup/configuration.ts'

const TEMPLATE = `cluster.local:53 {
    errors
    cache {
            success 9984 30
            denial 9984 5
    }
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__CLUSTER__DNS__ {
            force_tcp
    }
    health __PILLAR__LOCAL__DNS__:8080
    }
.:53 {
    errors
    cache 30
    bind __PILLAR__LOCAL__DNS__ __PILLAR__DNS__SERVER__
    forward . __PILLAR__UPSTREAM__SERVERS__ {
            force_tcp
    }
    prometheus :9253
    }
`
const FACTS = { localIps: ['169.254.20.10'], port: 53, clusterDns: '10.96.0.11', kubeDns: NO_KUBE_DNS_CONFIG }

/** The lines of the last block that begin with the word. */
const lines = (text: string, word: string): string[] =>
  text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line.startsWith(word))

t.test(
  'addresses and the cluster’s DNS come where their placeholders are, and the result is a Corefile',
  async t => {
    const text = fillTemplate(TEMPLATE, FACTS)
    t.strictSame(lines(text, 'bind'), ['bind 169.254.20.10', 'bind 169.254.20.10'])
    t.strictSame(lines(text, 'forward'), ['forward . 10.96.0.11 {', 'forward . /etc/resolv.conf {'])
    t.equal(lines(text, 'force_tcp').length, 2)
    const { problems } = checkConfiguration({ file: 'Corefile', text, port: 53 }, true)
    t.strictSame(
      problems.filter(({ severity }) => severity === 'error'),
      [],
    )
  },
)

t.test('upstreams of one’s own are asked over UDP; the cluster’s DNS is still asked over TCP', async t => {
  const kubeDns = { ...NO_KUBE_DNS_CONFIG, upstreamNameservers: ['9.9.9.9', '149.112.112.112:53'] }
  const text = fillTemplate(TEMPLATE, { ...FACTS, kubeDns })
  t.strictSame(lines(text, 'forward'), ['forward . 10.96.0.11 {', 'forward . 9.9.9.9 149.112.112.112:53'])
  t.equal(lines(text, 'force_tcp').length, 1)
})

t.test('a stub domain is a block of its own, on both addresses', async t => {
  const kubeDns = {
    ...NO_KUBE_DNS_CONFIG,
    stubDomains: new Map([['acme.local', ['1.2.3.4', '1.2.3.5:5353']]]),
  }
  const text = fillTemplate(TEMPLATE, {
    ...FACTS,
    localIps: ['169.254.20.10', '10.96.0.10'],
    port: 1053,
    kubeDns,
  })
  t.match(
    text,
    /\nacme\.local:1053 \{\n {4}errors\n {4}cache 30\n {4}bind 169\.254\.20\.10 10\.96\.0\.10\n {4}forward \. 1\.2\.3\.4 1\.2\.3\.5:5353\n\}\n$/,
  )
})

t.test(
  'a cluster IP that nobody knows leaves its placeholder, which is an error of the Corefile',
  async t => {
    const text = fillTemplate(TEMPLATE, { ...FACTS, clusterDns: undefined })
    const { problems } = checkConfiguration({ file: 'Corefile', text, port: 53 }, true)
    t.match(problems, [{ severity: 'error', message: /placeholder/, found: '__PILLAR__CLUSTER__DNS__' }])
  },
)

t.test('the variable of a Service', async t => {
  t.equal(serviceVariable('kube-dns-upstream'), 'KUBE_DNS_UPSTREAM_SERVICE_HOST')
})

t.test('the ConfigMap kube-dns as it is mounted', async t => {
  const cases: [files: Record<string, string>, stubs: [string, string[]][], upstreams: string[]][] = [
    [{}, [], []],
    [
      { stubDomains: '{"a.example": ["1.1.1.1"], "b": ["[fd00::1]:53", "fd00::2"]}' },
      [
        ['a.example', ['1.1.1.1']],
        ['b', ['[fd00::1]:53', 'fd00::2']],
      ],
      [],
    ],
    [{ upstreamNameservers: '["8.8.8.8", "8.8.4.4"]', federations: '{}' }, [], ['8.8.8.8', '8.8.4.4']],
    [{ stubDomains: ' \n', upstreamNameservers: '' }, [], []],
  ]
  for (const [files, stubs, upstreams] of cases) {
    const { stubDomains, upstreamNameservers } = readKubeDnsConfig(t.testdir(files))
    t.strictSame([...stubDomains], stubs)
    t.strictSame(upstreamNameservers, upstreams)
  }
  t.strictSame(readKubeDnsConfig(''), NO_KUBE_DNS_CONFIG)
})

t.test('a ConfigMap that cannot be served is refused with what is wrong', async t => {
  const cases: [files: Record<string, string>, says: RegExp][] = [
    [{ stubDomains: '{' }, /stubDomains is not JSON/],
    [{ stubDomains: '[]' }, /stubDomains is not a JSON object/],
    [{ stubDomains: '{"a b": ["1.1.1.1"]}' }, /"a b", which is no name/],
    [{ stubDomains: '{"a": "1.1.1.1"}' }, /stubDomains, a: not a JSON array/],
    [{ stubDomains: '{"a": []}' }, /stubDomains, a: 1 to 15 addresses/],
    [{ stubDomains: '{"a {\\n}": ["1.1.1.1"]}' }, /which is no name/],
    [{ upstreamNameservers: '["dns.example"]' }, /upstreamNameservers: "dns.example" is no address/],
    [{ upstreamNameservers: '["1.1.1.1 { }"]' }, /is no address/],
    [
      { upstreamNameservers: JSON.stringify(Array(16).fill('1.1.1.1')) },
      /1 to 15 addresses are needed, not 16/,
    ],
  ]
  for (const [files, says] of cases)
    t.throws(
      () => readKubeDnsConfig(t.testdir(files)),
      Object.assign(new KubeDnsError(), { message: says }),
      String(says),
    )
})
