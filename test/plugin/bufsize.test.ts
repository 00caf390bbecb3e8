import t from 'tap'
import { bufsizeWord } from '../../src/plugin/bufsize.ts'
import { answering } from '../support/answering.ts'
import { parseWord } from '../support/words.ts'

t.test('the size', async t => {
  const cases: [text: string, udpMaxOctets: number][] = [
    ['bufsize', 1232],
    ['bufsize 512', 512],
    ['bufsize 4096', 4096],
  ]
  for (const [text, udpMaxOctets] of cases) {
    const { config, complaints } = parseWord(bufsizeWord, text)
    t.same(complaints, [])
    t.strictSame(config, { udpMaxOctets }, text)
  }
  const wrong: [text: string, complaint: RegExp][] = [
    ['bufsize 511', /^2:9: error: the size in octets must be an integer from 512 to 4096/],
    ['bufsize 4097', /^2:9: error: the size in octets/],
    ['bufsize x', /^2:9: error: the size in octets/],
    ['bufsize 512 512', /^2:13: error: too many arguments for bufsize/],
    [
      'bufsize 1000\nbufsize',
      /^3:1: warning: only the first bufsize of a server block counts, as in CoreDNS: that at Corefile:2:1/,
    ],
  ]
  for (const [text, complaint] of wrong) t.match(parseWord(bufsizeWord, text).complaints[0], complaint, text)
})

t.test('a query goes on as if it had announced no more', async t => {
  const at = answering(bufsizeWord, 'bufsize 1000')
  const edns = (payloadSize: number) => ({ edns: { payloadSize, dnssecOk: true, options: [] } })
  await at.ask('a.example. A')
  await at.ask('a.example. A', edns(900))
  await at.ask('a.example. A', edns(4096))
  t.strictSame(
    at.passed.map(({ edns }) => edns),
    [undefined, edns(900).edns, edns(1000).edns],
  )
})
