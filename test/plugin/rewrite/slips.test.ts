import t from 'tap'
import { rewriteWord } from '../../../src/plugin/rewrite/rewrite.ts'
import { costBeside } from '../../support/cost.ts'
import { parseWord } from '../../support/words.ts'

const WORDS = new Set(['rewrite', 'kubernetes'])
const warnings = (text: string, words: ReadonlySet<string> = WORDS): readonly string[] =>
  parseWord(rewriteWord, text, { words }).complaints

t.test('rules that are surely not meant so', async t => {
  const cases: [directives: string, warning: RegExp][] = [
    [
      'rewrite name a.org b.org\nrewrite ttl exact a.org 30',
      /3:9: warning: this rule is never reached: the one at Corefile:2:9 takes its queries and stops/,
    ],
    ['rewrite ttl suffix a.org 5\nrewrite name x.a.org b.org', /3:9: warning: this rule is never reached/],
    ['rewrite ttl regex .* 5\nrewrite rcode regex .* 3 0', /3:9: warning: this rule is never reached/],
    ['rewrite ttl substring a. 5\nrewrite ttl suffix .a.org 6', /3:9: warning: this rule is never reached/],
    ['rewrite type A AAAA\nrewrite type A MX', /3:9: warning: this rule is never reached/],
    ['rewrite cname a.org b.org\nrewrite name a.org b.org', /3:9: warning: this rule is never reached/],
    ['rewrite edns0 nsid unset\nrewrite name a.org b.org', /3:9: warning: this rule is never reached/],
    ['rewrite edns0 local set 1 x\nrewrite type A MX', /3:9: warning: this rule is never reached/],
    ['rewrite name suffix .a.org .b.org', /2:9: warning: replies keep the name .* add `answer auto`/],
    ['rewrite name prefix a b answer value x y', /2:9: warning: replies keep the name/],
    ['rewrite name suffix .a.org b.org answer auto', /2:28: warning: FROM begins with a dot and TO does not/],
    ['rewrite name suffix a.org .b.org answer auto', /2:27: warning: TO begins with a dot and FROM does not/],
    [
      'rewrite {\nname suffix .arpa .arpa\nanswer name auto\nanswer value (.*)\\.x\\. {1}.y\n}',
      /4:13: warning: `auto` is taken for a pattern here: write `answer auto`/,
    ],
    ['rewrite name a..org b.org', /2:14: warning: this is no domain name: the rule never applies/],
    ['rewrite name a.org b..org', /2:20: warning: this is no domain name: the rule makes SERVFAIL/],
    [
      'rewrite name suffix .a.org .{1}.org answer auto',
      /2:28: warning: groups have a meaning for regex only/,
    ],
    [
      'rewrite name regex ^(.*)\\.a\\.org$ {1}.b.org answer auto',
      /2:20: warning: this never matches: a name ends with a dot; write `\\\.\$`/,
    ],
    ['rewrite ttl regex ^(.*)\\.a\\.org$ 5', /2:19: warning: this never matches: a name ends with a dot/],
    ['rewrite name suffix .a.x .b.x answer name (.*)\\.b\\.x$ {1}.a.x', /2:43: warning: this never matches/],
    ['rewrite cname suffix .a.org .b.org', /2:22: warning: this never matches: a name ends with a dot/],
    [
      'rewrite name regex ^(.*)\\.Svc\\.org\\.$ {1}.b.org answer auto',
      /2:20: warning: this never matches: names are compared in lower case/,
    ],
    [
      'rewrite name regex ^(.*)\\.a.com\\.$ {1}.b.org answer auto',
      /2:20: warning: the dot before com stands for any character/,
    ],
    ['rewrite ttl regex (.*).local\\.$ 5', /2:19: warning: the dot before local stands for any character/],
    [
      'rewrite name regex (.*)\\.a\\.org {1}.b.org answer auto',
      /2:20: warning: this is not anchored: .* search domain/,
    ],
    ['rewrite rcode regex (.*)\\.a\\.org\\. 3 0', /2:21: warning: this is not anchored/],
    [
      'rewrite name regex ^(.*)\\.a\\.(.*) {1}.b.{2} answer auto',
      /2:35: warning: group 2 takes the name's final dot/,
    ],
    [
      'rewrite name regex ^(?:a|b)(.+)$ x{1}. answer auto',
      /2:34: warning: group 1 takes the name's final dot/,
    ],
    [
      'rewrite cname regex ^a\\.$ {1}.b',
      /2:27: warning: the pattern has no group \{1\}: the braces are text/,
    ],
    [
      'rewrite name regex ^(a)\\.$ {2} answer auto',
      /2:28: warning: the pattern has no group \{2\}: the braces are text/,
    ],
    ['rewrite edns0 local set 1 {a/b}', /2:9: warning: without the directive metadata no label has a value/],
  ]
  for (const [directives, warning] of cases) {
    const found = warnings(directives)
    t.match(found[0], warning, directives)
    t.equal(found.length, 1, `${directives}: one warning`)
  }
})

t.test('rules that may well be meant so', async t => {
  const cases = [
    'rewrite name a.org b.org',
    'rewrite continue name a.org b.org\nrewrite ttl exact a.org 30',
    'rewrite name a.org b.org\nrewrite name c.org b.org',
    'rewrite name a.org b.org\nrewrite ttl suffix a.org 5',
    'rewrite ttl suffix .a.org 5\nrewrite ttl exact a.org 5',
    // The name may have become the other one in between.
    'rewrite ttl a.org 5\nrewrite continue name b.org a.org\nrewrite rcode a.org 3 0',
    'rewrite type A AAAA\nrewrite type MX TXT',
    'rewrite type A AAAA\nrewrite continue type MX A\nrewrite type A TXT',
    'rewrite type A AAAA\nrewrite class CH IN',
    'rewrite edns0 nsid replace\nrewrite name a.org b.org',
    'rewrite edns0 local set 1 {client_ip}\nrewrite name a.org b.org',
    'rewrite name suffix .arpa .arpa answer value a b',
    'rewrite name suffix .a.org -a.b.org answer auto',
    'rewrite name suffix .a.org . answer auto',
    'rewrite name regex ^(.*)\\.a\\.com\\.$ {1}.b.org answer auto',
    'rewrite name regex ^(.*)\\.a\\.com\\.?$ {1}.b.org answer auto',
    'rewrite name regex ^(.*)\\.a\\.(.*)\\.$ {1}.b.{2} answer auto',
    'rewrite name regex ^(.*)\\.[A-Z]\\D\\.$ x answer auto',
    'rewrite name regex ^(?i)WWW\\.A\\.$ x answer auto',
    'rewrite name regex ^a.b\\.$ x answer auto',
    'rewrite name regex (.*) x answer auto',
    'rewrite cname regex (.*)\\.CDN\\.example\\.net\\. {1}.cdn.org.',
  ]
  for (const directives of cases) t.same(warnings(directives), [], directives)
  const loose = 'rewrite name regex (.*)\\.a\\.org {1}.b.org answer auto'
  t.same(warnings(loose, new Set(['rewrite'])), [], 'without a cluster nobody asks with search domains')
  const label = 'rewrite edns0 local set 1 {a/b}'
  t.same(warnings(label, new Set(['rewrite', 'metadata'])), [])
})

t.test('eight times as many rules cost some eight times as much, not its square', async t => {
  const rules = (count: number): string =>
    [
      ...Array.from({ length: count / 2 }, (_, at) => `rewrite ttl regex ^.*\\.a${at}\\.org\\.$ 5`),
      ...Array.from({ length: count / 2 }, (_, at) => `rewrite name a${at}.org b${at}.org`),
    ].join('\n')
  const [few, many] = [rules(1250), rules(10_000)]
  t.same(warnings(many), [])
  const times = costBeside(
    () => warnings(many),
    () => warnings(few),
    2,
  )
  t.ok(times < 16, `${times.toFixed(1)} times as much`)
})
