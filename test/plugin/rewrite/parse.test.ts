import t from 'tap'
import { rewriteWord } from '../../../src/plugin/rewrite/rewrite.ts'
import { parseWord } from '../../support/words.ts'

const parse = (text: string) => {
  const { config, complaints } = parseWord(rewriteWord, text)
  // How a rule is written is told of by test/serving/trace.test.ts.
  const rules = (config?.rules ?? []).map(({ written: _written, ...rule }) => rule)
  return { rules, complaints: complaints.filter(line => !line.includes(': warning: ')) }
}

const name = (kind: string, from: string, to: string, more: object = {}) => ({
  field: 'name',
  substitution: { kind, from, to },
  auto: kind === 'exact',
  answers: [],
  stop: true,
  ...more,
})
const answer = (part: string, from: string, to: string) => ({ kind: 'regex', part, from, to })
const edns = (action: string, code: number, data: object | undefined, revert = false) => ({
  field: 'edns0',
  action,
  code,
  data,
  revert,
  stop: true,
})
const octets = (...list: number[]) => ({ kind: 'octets', octets: Uint8Array.from(list) })

t.test('one rule', async t => {
  const cases: [directive: string, rule: object][] = [
    ['name A.org b.ORG', name('exact', 'a.org.', 'b.org.')],
    ['name exact a.org b.org.', name('exact', 'a.org.', 'b.org.')],
    ['NAME Exact a.org b.org', name('exact', 'a.org.', 'b.org.')],
    ['stop name a.org b.org', name('exact', 'a.org.', 'b.org.')],
    ['Continue name a.org b.org', name('exact', 'a.org.', 'b.org.', { stop: false })],
    ['name exact a.org b.org answer auto', name('exact', 'a.org.', 'b.org.')],
    ['name prefix a b answer auto', name('prefix', 'a.', 'b.', { auto: true })],
    ['name suffix .a .b answer auto', name('suffix', '.a.', '.b.', { auto: true })],
    ['name substring a b answer auto', name('substring', 'a.', 'b.', { auto: true })],
    ['name regex (.*)A {1}B answer auto', name('regex', '(.*)A', '{1}b.', { auto: true })],
    [
      'name suffix a b answer name (.*)A {1}B',
      name('suffix', 'a.', 'b.', { answers: [answer('name', '(.*)A', '{1}b.')] }),
    ],
    [
      'name suffix a b answer name x y value p q answer value r s',
      name('suffix', 'a.', 'b.', {
        answers: [answer('name', 'x', 'y.'), answer('value', 'p', 'q.'), answer('value', 'r', 's.')],
      }),
    ],
    [
      'name suffix a b answer auto value p q',
      name('suffix', 'a.', 'b.', { auto: true, answers: [answer('value', 'p', 'q.')] }),
    ],
    [
      '{\nname regex (.*)\\.a\\.$ {1}.b\nanswer name (.*)\\.b\\.$ {1}.a\n}',
      name('regex', '(.*)\\.a\\.$', '{1}.b.', { answers: [answer('name', '(.*)\\.b\\.$', '{1}.a.')] }),
    ],
    ['continue {\nname a.org b.org\n}', name('exact', 'a.org.', 'b.org.', { stop: false })],
    ['type any hinfo', { field: 'type', from: 255, to: 13, stop: true }],
    ['type TYPE65280 RESINFO', { field: 'type', from: 65280, to: 261, stop: true }],
    ['continue class ch in', { field: 'class', from: 3, to: 1, stop: false }],
    ['ttl a.org 30', ttl('exact', 'a.org.', 30, 30)],
    ['ttl exact a.org 30-300', ttl('exact', 'a.org.', 30, 300)],
    ['ttl suffix .a.org -300', ttl('suffix', '.a.org.', 0, 300)],
    ['ttl prefix a 30-', ttl('prefix', 'a.', 30, 2 ** 31 - 1)],
    ['ttl substring a 0', ttl('substring', 'a.', 0, 0)],
    ['ttl regex A 0-0', ttl('regex', 'A', 0, 0)],
    ['rcode a.org NXDOMAIN noerror', rcode('exact', 'a.org.', 3, 0)],
    ['rcode regex .* 2 23', rcode('regex', '.*', 2, 23)],
    ['rcode suffix a BADSIG NOTIMPL', rcode('suffix', 'a.', 16, 4)],
    ['rcode exact a 12 BADVERS', rcode('exact', 'a.', 12, 16)],
    ['cname A.org b.org', cname('exact', 'a.org.', 'b.org.')],
    ['cname suffix .a.org. .B.org.', cname('suffix', '.a.org.', '.b.org.')],
    ['cname regex (\\S+)\\.a\\. {1}.b', cname('regex', '(\\S+)\\.a\\.', '{1}.b')],
    ['edns0 local set 0xffee abcd', edns('set', 0xffee, octets(0x61, 0x62, 0x63, 0x64))],
    ['edns0 local append 65518 0x00fF revert', edns('append', 0xffee, octets(0, 255), true)],
    ['EDNS0 Local Replace 0b11 0x', edns('replace', 3, octets())],
    ['edns0 local set 1 {client_ip}', edns('set', 1, { kind: 'variable', variable: 'client_ip' })],
    ['edns0 local set 1 {a/b/c}', edns('set', 1, { kind: 'metadata', label: 'a/b/c' })],
    ['edns0 local unset 0xffee', edns('unset', 0xffee, undefined)],
    ['edns0 nsid set', edns('set', 3, { kind: 'nsid' })],
    ['edns0 nsid append revert', edns('append', 3, { kind: 'nsid' }, true)],
    ['edns0 nsid unset', edns('unset', 3, undefined)],
    ['edns0 subnet set 24 0x38', edns('set', 8, { kind: 'subnet', v4Bits: 24, v6Bits: 56 })],
    [
      'edns0 subnet replace 32 128 revert',
      edns('replace', 8, { kind: 'subnet', v4Bits: 32, v6Bits: 128 }, true),
    ],
    ['edns0 subnet unset', edns('unset', 8, undefined)],
  ]
  for (const [directive, rule] of cases) {
    const { rules, complaints } = parse(`rewrite ${directive}`)
    t.same({ rules, complaints }, { rules: [rule], complaints: [] }, directive)
    t.doesNotThrow(() => structuredClone(rules), `${directive}: is data`)
  }
})

function ttl(kind: string, from: string, minSeconds: number, maxSeconds: number): object {
  return { field: 'ttl', match: { kind, from }, minSeconds, maxSeconds, stop: true }
}
function rcode(kind: string, from: string, old: number, to: number): object {
  return { field: 'rcode', match: { kind, from }, from: old, to, stop: true }
}
function cname(kind: string, from: string, to: string): object {
  return { field: 'cname', substitution: { kind, from, to, anyCase: true }, stop: true }
}

t.test('several directives are rules in the order of the file', async t => {
  const { rules } = parse('rewrite continue ttl a 1\nrewrite name b c\nrewrite type A AAAA')
  t.same(
    rules.map(({ field, stop }) => [field, stop]),
    [
      ['ttl', false],
      ['name', true],
      ['type', true],
    ],
  )
})

t.test('mistakes, each with its place', async t => {
  const cases: [directive: string, complaint: RegExp][] = [
    ['rewrite', /2:1: error: rewrite needs a field .*allowed: class, cname, edns0, name, rcode, ttl, type/],
    ['rewrite stop', /2:1: error: rewrite needs a field/],
    ['rewrite nam a b', /2:9: error: this is not a field .*found "nam".*did you mean "name"/],
    ['rewrite answer name a b', /2:9: error: an answer rule must stand behind a name rule/],
    ['rewrite stop {\nanswer name a b\n}', /3:1: error: an answer rule must stand behind a name rule/],
    ['rewrite name a', /2:9: error: name needs TO/],
    ['rewrite name', /2:9: error: name needs FROM/],
    ['rewrite name exakt a b', /2:14: error: this is not a way to match .*did you mean "exact"/],
    ['rewrite name exact a b c', /2:24: error: only answer rules may follow/],
    ['rewrite name exact a b answer', /2:9: error: name needs an answer rule/],
    [
      'rewrite name exact a b answer all',
      /2:31: error: this is not an answer rule .*allowed: auto, name, value/,
    ],
    ['rewrite name suffix a b answer name c', /2:9: error: name needs TO/],
    [
      'rewrite name suffix a b answer auto name c d',
      /2:42: error: answer auto and answer name exclude each other/,
    ],
    ['rewrite name regex ( b', /2:20: error: this is not a regular expression of RE2/],
    ['rewrite name regex a(?=b) b', /2:20: error: this is not a regular expression of RE2/],
    ['rewrite name regex a {1}', /2:22: error: the pattern has 0 groups \(found "\{1\}"/],
    [
      'rewrite name suffix a b answer value (c) {1}.{2}',
      /2:42: error: the pattern has 1 groups \(found "\{2\}"/,
    ],
    [
      `rewrite name regex ${'a'.repeat(10_001)} b`,
      /2:20: error: a regular expression may have 10000 characters/,
    ],
    [`rewrite name exact a ${'b'.repeat(1025)}`, /2:22: error: TO may have 1024 characters/],
    ['rewrite name a b {\nanswer auto\n}', /2:1: error: rewrite takes no block/],
    ['rewrite {\nname a b {\nx\n}\n}', /3:1: error: name takes no block/],
    ['rewrite type A', /2:9: error: type needs a type/],
    ['rewrite type A B', /2:16: error: this is not a type .*found "B"/],
    ['rewrite type A AAAA NS', /2:21: error: too many arguments for type/],
    ['rewrite class CH XX', /2:18: error: this is not a class/],
    ['rewrite ttl a', /2:9: error: ttl needs a TTL/],
    ['rewrite ttl a -', /2:15: error: a TTL is written as/],
    ['rewrite ttl a 30-20', /2:15: error: a TTL is written as/],
    ['rewrite ttl a 1-2-3', /2:15: error: a TTL is written as/],
    ['rewrite ttl a 4294967296', /2:15: error: a TTL is written as .* within 0 to 2147483647 seconds/],
    ['rewrite ttl regex ( 5', /2:19: error: this is not a regular expression/],
    ['rewrite ttl fuzzy a 5', /2:13: error: this is not a way to match/],
    ['rewrite ttl exact a 5 6', /2:23: error: too many arguments for ttl/],
    ['rewrite rcode a NXDOMAIN', /2:9: error: rcode needs a response code/],
    ['rewrite rcode a NXDOMAIN 24', /2:26: error: this is not a response code/],
    ['rewrite rcode fuzzy a 1 2', /2:15: error: this is not a way to match/],
    ['rewrite cname a', /2:9: error: cname needs TO/],
    ['rewrite cname fuzzy a b', /2:15: error: this is not a way to match/],
    ['rewrite cname suffix "" b', /2:22: error: this must not be empty/],
    ['rewrite edns0 local', /2:9: error: edns0 needs an action/],
    ['rewrite edns0 cookie set', /2:15: error: this is not an EDNS option .*allowed: local, nsid, subnet/],
    ['rewrite edns0 nsid add', /2:20: error: this is not an action .*allowed: append, replace, set, unset/],
    ['rewrite edns0 nsid set 5', /2:24: error: this is not the word revert/],
    ['rewrite edns0 local set 1 revert', /2:27: error: the data of the option must stand before revert/],
    ['rewrite edns0 nsid unset revert', /2:26: error: too many arguments/],
    ['rewrite edns0 local set 65536 a', /2:25: error: the code of an EDNS option must be an integer from 0/],
    ['rewrite edns0 local set 1', /2:9: error: edns0 needs the data of the option/],
    ['rewrite edns0 local set 1 0xabc', /2:27: error: 0x needs pairs of hexadecimal digits/],
    ['rewrite edns0 local set 1 {client}', /2:27: error: there is no such variable .*allowed: \{qname\}/],
    [
      `rewrite edns0 local set 1 ${'x'.repeat(1025)}`,
      /2:27: error: the data of an option may have 1024 octets/,
    ],
    [
      'rewrite edns0 subnet set 33 56',
      /2:26: error: the length of an IPv4 prefix must be an integer from 0 to 32/,
    ],
    ['rewrite edns0 subnet set 24 129', /2:29: error: the length of an IPv6 prefix/],
    ['rewrite edns0 subnet set 24', /2:9: error: edns0 needs the length of an IPv6 prefix/],
  ]
  for (const [directive, complaint] of cases) {
    const { complaints } = parse(directive)
    const short = directive.slice(0, 60)
    t.match(complaints[0], complaint, short)
    t.equal(complaints.length, 1, `${short}: one complaint`)
  }
})

t.test('bounds', async t => {
  const many = (count: number, rule: string): string =>
    Array.from({ length: count }, () => `rewrite ${rule}`).join('\n')
  t.same(parse(many(10_000, 'continue type A AAAA')).complaints, [])
  t.match(parse(many(10_001, 'continue type A AAAA')).complaints[0], /more than 10000 rewrite rules/)
  t.same(parse(many(16, 'continue edns0 nsid set')).complaints, [])
  t.match(parse(many(17, 'continue edns0 nsid set')).complaints[0], /18:18: error: more than 16 edns0 rules/)
  const answers = (count: number): string => `rewrite name suffix a b answer${' value x y'.repeat(count)}`
  t.same(parse(answers(100)).complaints, [])
  t.match(parse(answers(101)).complaints[0], /more than 100 answer rules/)
})
