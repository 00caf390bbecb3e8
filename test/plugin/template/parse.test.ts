// The directive: what it becomes, and each mistake with its place.

import t from 'tap'
import { templateWord } from '../../../src/plugin/template/template.ts'
import { parseWord } from '../../support/words.ts'

const read = (text: string, zones = ['.']) => parseWord(templateWord, text, { zones })

t.test('a directive and its defaults', async t => {
  t.same(read('template ANY aaaa', ['example.org.', 'a.']), {
    config: {
      rules: [
        {
          qclass: 255,
          qtype: 28,
          zones: ['example.org.', 'a.'],
          regexes: [],
          records: { answer: [], additional: [], authority: [] },
          rcode: 0,
          extendedError: undefined,
          fallthrough: undefined,
        },
      ],
    },
    complaints: [],
  })
})

t.test('everything that a directive can say', async t => {
  const { config, complaints } = read(
    [
      'template IN A Example 10.0.0.0/8 {',
      'match ^a "b c"',
      'match d',
      'answer "{{ .Name }} A 10.0.0.1" `x`',
      'answer "{{ .Name }} A 10.0.0.2"',
      'additional "{{ .Zone }} NS a"',
      'authority "{{ .Zone }} NS b"',
      'rcode NXDOMAIN',
      'ederror 21 "as RFC 2606 says"',
      'fallthrough example',
      'upstream 10.0.0.1',
      '}',
      'template IN TYPE65280 {',
      'fallthrough',
      'ederror 15',
      '}',
    ].join('\n'),
  )
  t.same(config?.rules, [
    {
      qclass: 1,
      qtype: 1,
      zones: ['example.', '10.in-addr.arpa.'],
      regexes: ['^a', 'b c', 'd'],
      records: {
        answer: ['{{ .Name }} A 10.0.0.1', '`x`', '{{ .Name }} A 10.0.0.2'],
        additional: ['{{ .Zone }} NS a'],
        authority: ['{{ .Zone }} NS b'],
      },
      rcode: 3,
      extendedError: { code: 21, text: 'as RFC 2606 says' },
      fallthrough: ['example.'],
    },
    {
      qclass: 1,
      qtype: 65_280,
      zones: ['.'],
      regexes: [],
      records: { answer: [], additional: [], authority: [] },
      rcode: 0,
      extendedError: { code: 15, text: '' },
      fallthrough: ['.'],
    },
  ])
  t.equal(complaints.length, 1)
  t.match(complaints[0], /^12:1: warning: upstream was removed from template/)
  t.strictSame(structuredClone(config), config, 'plain data')
})

t.test('mistakes', async t => {
  const inside = (line: string): string => `template IN A {\n${line}\n}`
  const cases: [text: string, complaint: RegExp][] = [
    ['template IN', /^2:1: error: template needs a type/],
    [
      'template INN A',
      /^2:10: error: this is not a class such as IN \(found "INN"; allowed: IN, CS, CH, .*did you mean "IN"/,
    ],
    ['template IN AAA', /^2:13: error: this is not a type such as A \(found "AAA"; .*did you mean "AAAA"/],
    ['template IN A a..b', /^2:15: error: /],
    [
      inside('nonsense'),
      /^3:1: error: unknown property of template .*allowed: additional, answer, authority, ederror/,
    ],
    [inside('match'), /^3:1: error: match needs a regular expression/],
    [inside('match a ( b'), /^3:9: error: this is not a regular expression of RE2: .*missing closing/],
    [inside('match a(?=b)'), /^3:7: error: this is not a regular expression of RE2/],
    [inside(`match ${'x'.repeat(10_001)}`), /^3:7: error: a regular expression may have 10000 characters/],
    [inside(`match${' a'.repeat(101)}`), /^3:1: error: more than 100 arguments of match/],
    [inside('answer'), /^3:1: error: answer needs a record/],
    [
      inside(`answer${' a'.repeat(60)}\nanswer${' a'.repeat(60)}`),
      /^4:1: error: more than 100 arguments of answer/,
    ],
    [
      inside('answer "{{ .Name"'),
      /^3:9: error: this is not a Go template: this action is never closed \(found "{{ .Name"/,
    ],
    [
      inside('answer ok "a {{ .Name | toUpper }}"'),
      /^3:25: error: this is not a Go template: there is no function toUpper/,
    ],
    [inside('answer "\\"quoted\\" {{ .Name | toUpper }}"'), /^3:31: error: .*toUpper/],
    [inside('answer "first line\n {{ if }}"'), /^4:8: error: this is not a Go template: a value is missing/],
    [inside('answer {{.Name}'), /^3:15: error: this is not a Go template: "}" means nothing here/],
    [inside('additional "{{ if .Name }}"'), /^3:13: error: .*this {{if}} has no {{end}}/],
    [inside('authority "{{ end }}"'), /^3:12: error: .*{{end}} without an action/],
    [inside('rcode'), /^3:1: error: rcode needs a response code/],
    [
      inside('rcode NXDOMAN'),
      /^3:7: error: this is not a response code such as NXDOMAIN .*did you mean "NXDOMAIN"/,
    ],
    [inside('rcode NXDOMAIN REFUSED'), /^3:16: error: too many arguments for rcode/],
    [inside('ederror'), /^3:1: error: ederror needs the code/],
    [inside('ederror 65536'), /^3:9: error: the code must be an integer from 0 to 65535/],
    [inside('ederror 1 a b'), /^3:13: error: too many arguments for ederror/],
    [inside('fallthrough a..b'), /^3:13: error: /],
    ['template IN A\n'.repeat(1001), /^1002:1: error: more than 1000 template directives in this block/],
  ]
  for (const [text, complaint] of cases) {
    const { complaints } = read(text)
    t.match(complaints[0], complaint, text.slice(0, 60))
    t.equal(complaints.length, 1, `${text.slice(0, 60)}: one complaint`)
  }
})

t.test('a directive without class and type', async t => {
  const { complaints } = read('template')
  t.match(complaints, [/^2:1: error: template needs a class/, /^2:1: error: template needs a type/])
})

t.test('what will never work is warned about', async t => {
  const inside = (line: string): string => `template IN A {\nmatch "(?P<host>[^.]+)"\n${line}\n}`
  const cases: [text: string, complaint: RegExp | undefined][] = [
    ['template CH TXT', /^2:1: warning: questions of other classes than IN are refused/],
    ['template IN A {\nrcode SERVFAIL\nederror 15\n}', /^2:1: warning: SERVFAIL is sent without records/],
    ['template IN A {\nrcode SERVFAIL\n}', undefined],
    [
      inside('answer "{{ .Nmae }}"'),
      /^4:12: warning: the data of a template has no such field.*\(found ".Nmae"/,
    ],
    [inside('answer "{{ print (len .Nmae) }}"'), /^4:23: warning: the data of a template has no such field/],
    [inside('answer "{{ if .Zone }}{{ .Nmae }}{{ end }}"'), /^4:26: warning: /],
    [inside('answer "{{ with .Zone }}{{ $.Nmae }}{{ end }}"'), /^4:28: warning: /],
    [inside('answer "{{ with .Zone }}{{ else }}{{ .Nmae }}{{ end }}"'), /^4:38: warning: /],
    [inside('answer "{{ .Question.Nmae }}"'), /^4:12: warning: Question has no such field/],
    [inside('answer "{{ .Message.Answer }}"'), /^4:12: warning: Message has no such field/],
    [inside('answer "{{ .Name.X }}"'), /^4:12: warning: Name has no such field/],
    [
      inside('answer "{{ .Group.nobody }}"'),
      /^4:12: warning: no regular expression here has a group of the name nobody/,
    ],
    [inside('answer "{{ .Group.host }} {{ .Group }} {{ .Message.Id }} {{ .Question.Name }}"'), undefined],
    [
      inside('answer "{{ with .Question }}{{ .Name }}{{ end }}{{ range .Match }}{{ .X }}{{ end }}"'),
      undefined,
    ],
    ['template IN A {\nanswer "{{ .Group.later }}"\nmatch (?P<later>x)\n}', undefined],
  ]
  for (const [text, complaint] of cases) {
    const { complaints, config } = read(text)
    t.equal(complaints.length, complaint ? 1 : 0, text)
    if (complaint) t.match(complaints[0], complaint)
    t.equal(config?.rules.length, 1, `${text}: is served`)
  }
})

t.test('the place in a word with a variable of the environment is where the word begins', async t => {
  const { complaints } = read('template IN A {\nanswer "{$HOME} {{ nothing }}"\n}')
  t.match(complaints[0], /^3:8: error: this is not a Go template: there is no function nothing/)
})
