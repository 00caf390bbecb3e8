import t from 'tap'
import { FOREIGN_WORDS } from '../../src/corefile/foreign-words.ts'
import { DIRECTIVE_WORDS, directiveWord, isDirectiveWord, REMOVED_WORDS } from '../../src/corefile/words.ts'

/** core/dnsserver/zdirectives.go of CoreDNS 1.14.7 */
const CHAIN =
  'root metadata geoip cancel proxyproto quic grpc_server https https3 timeouts multisocket reload nsid bufsize ede bind ' +
  'debug trace ready health admin pprof shed prometheus status errors log dnstap local policy ipv6 ipv4 dns64 any chaos loadbalance tsig edns_pass rewrite ' +
  'autopath acl cache header dnssec tls minimal template transfer hosts k8s_records route53 azure clouddns k8s_external kubernetes ' +
  'file auto secondary etcd loop ratelimit stubdomains forward grpc erratic whoami on sign view nomad'

t.test('the chain of CoreDNS 1.14.7, and the words that it lacks', async t => {
  t.equal(DIRECTIVE_WORDS.map(({ word }) => word).join(' '), CHAIN)
  t.same(
    DIRECTIVE_WORDS.map(({ order }) => order),
    DIRECTIVE_WORDS.map((_, i) => i),
  )
})

t.test('what is not offered, what is accepted with a warning, what was removed', async t => {
  const words = (kind: 'notOffered' | 'instead'): string =>
    DIRECTIVE_WORDS.filter(entry => entry[kind] !== undefined)
      .map(({ word }) => word)
      .sort()
      .join(' ')
  t.equal(
    words('notOffered'),
    'auto azure clouddns dnssec erratic etcd geoip grpc grpc_server https3 nomad on proxyproto quic route53 secondary sign tsig',
  )
  t.equal(words('instead'), 'pprof shed')
  t.same([...REMOVED_WORDS.keys()], ['federation', 'proxy', 'upstream', 'startup', 'shutdown', 'reverse'])
  for (const { notOffered, instead } of DIRECTIVE_WORDS) t.notOk(notOffered && instead)
})

t.test('words are found by name', async t => {
  t.match(directiveWord('kubernetes'), { word: 'kubernetes', order: 54 })
  t.match(directiveWord('route53'), { notOffered: 'forward the zone to its own servers' })
  t.match(directiveWord('pprof'), { instead: /cpu-prof/ })
  for (const word of ['proxy', 'import', '', 'toString']) t.equal(directiveWord(word), undefined, word)
  for (const word of ['proxy', 'cache']) t.ok(isDirectiveWord(word), word)
  for (const word of ['import', 'cluster.local', '.']) t.notOk(isDirectiveWord(word), word)
})

t.test('words of plugins that others add to CoreDNS', async t => {
  t.ok(FOREIGN_WORDS.size > 50)
  for (const [word, advice] of FOREIGN_WORDS) {
    t.equal(directiveWord(word), undefined, `${word} is not CoreDNS's`)
    t.match(advice, /^[a-z].*[^.]$/, word)
  }
  t.equal(
    FOREIGN_WORDS.get('fanout'),
    'asks all upstreams at once: forward asks one after the other, and leaves out those that fail',
  )
  for (const word of ['cache', 'slogs', 'toString', '']) t.equal(FOREIGN_WORDS.get(word), undefined, word)
})
