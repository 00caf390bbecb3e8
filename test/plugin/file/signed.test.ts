// Signed zones as a validator sees them: every answer has what proves it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LONG, shortOrLong } from '../../support/long.ts'
import { Random } from '../../support/random.ts'
import { serveCorefile } from '../../support/served-corefile.ts'
import { cannotSign, DENIALS, delv, signZone } from '../../support/signed-zone.ts'

const ORIGIN = 'example.org'
const KEY = '00'.repeat(32)

/** Signs the zone, serves it, and has each question judged: the questions whose judgement is not of that kind. */
async function judge(
  t: Test,
  text: string,
  denial: readonly string[],
  questions: readonly string[],
  isRight: (judgement: string) => boolean,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-signed-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const { signed, anchor } = await signZone(folder, ORIGIN, text, denial)
  const anchorFile = join(folder, 'anchor')
  writeFileSync(anchorFile, anchor)
  const { port } = await serveCorefile(t, '. {\nfile db example.org\n}\n', { files: { db: signed } })
  const wrong: string[] = []
  const left = [...questions]
  const worker = async (): Promise<void> => {
    for (let question = left.pop(); question !== undefined; question = left.pop()) {
      const judgement = await delv(port, anchorFile, ORIGIN, question)
      if (!/validated|unsigned answer/.test(judgement) || !isRight(judgement))
        wrong.push(`${question}: ${judgement}`)
    }
  }
  await Promise.all(Array.from({ length: 4 }, worker))
  return wrong
}

const ZONE = `$TTL 300
@ SOA ns host 7 2 3 4 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.80
*.cw CNAME www
*.wild A 192.0.2.1
*.wild TXT x
real.wild A 192.0.2.2
sub NS ns.sub
ns.sub A 192.0.2.54
safe NS ns.safe
safe DS 1 13 2 ${KEY}
ns.safe A 192.0.2.55
c1 CNAME www
c2 CNAME nowhere
c3 CNAME q.wild
c4 CNAME k.cw
c5 CNAME b.ent
d DNAME wild
a.b.ent A 192.0.2.3
*.deep.star A 192.0.2.4
`

/** A name of the zone without the zone's. */
const asked = (question: string): string => {
  const [name = '', type = ''] = question.split(' ')
  return `${name === '@' ? '' : `${name}.`}${ORIGIN}. ${type}`
}

t.test('no answer of a signed zone is bogus', { skip: cannotSign }, async t => {
  const questions = [
    '@ SOA', '@ NS', '@ DNSKEY', '@ MX', 'www A', 'www AAAA', 'www NSEC', 'nowhere A', 'x.nowhere A', 'x.www A',
    'k.cw A', 'k.cw AAAA', 'k.cw CNAME', 'x.k.cw A', 'cw A', 'q.wild A', 'q.wild TXT', 'q.wild AAAA', 'x.q.wild MX', 'wild A',
    'real.wild A', 'real.wild TXT', 'x.real.wild A', '*.wild A', '*.wild AAAA', 'sub DS', 'safe DS', 'c1 A', 'c1 AAAA',
    'c1 CNAME', 'c2 A', 'c2 AAAA', 'c3 A', 'c3 AAAA', 'c3 DS', 'c3 MX', 'c4 A', 'c4 AAAA', 'c5 A', 'q.d A', 'q.d AAAA',
    'real.d A', 'd DNAME', 'd A', 'ent A', 'b.ent A', 'a.b.ent A', 'x.ent A', 'x.b.ent A', 'star A', 'deep.star A',
    'x.star A', 'x.deep.star A', 'x.deep.star AAAA', '@ ANY', 'zzz A', '0 A',
  ] // biome-ignore format: a list
  for (const [kind, denial] of Object.entries(DENIALS).slice(0, shortOrLong(2, 4))) {
    await t.test(kind, async t => {
      // Where names may have been left out, nobody knows whether the wildcard was all there was (RFC 5155 7.2.6).
      const mayBeUnsigned = denial.includes('-A')
      const isRight = (judgement: string): boolean => mayBeUnsigned || !judgement.includes('unsigned')
      const wrong = await judge(t, ZONE, denial, questions.map(asked), isRight)
      t.same(wrong, [])
    })
  }
})

const LABELS = ['a', 'b', '0', 'z', 'aa']

/** A zone of random names, aliases, wildcards and cuts; and questions about it whose answers are this zone's own. */
function anyZone(random: Random): { readonly text: string; readonly questions: string[] } {
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const anyName = (depth: number): string =>
    Array.from({ length: 1 + random.below(depth) }, () => pick(LABELS)).join('.')
  const targets = ['www', 'nowhere', 'k.wild', 'a.b', 'x.ent']
  const names = new Map<string, string>([
    ['ns', 'A 192.0.2.53'],
    ['www', 'A 192.0.2.80'],
    ['*.wild', 'A 192.0.2.1'],
    ['b.ent', 'TXT x'],
  ])
  const closed: string[] = []
  const isClosed = (name: string): boolean => closed.some(each => name === each || name.endsWith(`.${each}`))
  const isOpenAbove = (name: string): boolean => ![...names.keys()].some(each => each.endsWith(`.${name}`))
  for (let i = 0; i < 25; i++) {
    const plain = anyName(3)
    const name = random.below(4) === 0 ? `*.${plain}` : plain
    if (names.has(name) || isClosed(name)) continue
    const kind = random.below(name.startsWith('*') ? 3 : 6)
    if (kind === 0) names.set(name, `CNAME ${pick(targets)}`)
    else if (kind < 4) names.set(name, pick(['A 192.0.2.2', 'TXT y', 'MX 5 www']))
    else if (isOpenAbove(name)) {
      closed.push(name)
      const ds = random.below(2) === 0 ? `\n${name} DS 1 13 2 ${KEY}` : ''
      names.set(name, kind === 4 ? `NS ns.elsewhere.net.${ds}` : 'DNAME wild')
    }
  }
  const text = `$TTL 300\n@ SOA ns host 7 2 3 4 60\n@ NS ns\n${[...names].map(parts => parts.join(' ')).join('\n')}\n`
  const questions = Array.from({ length: 30 }, () => `${anyName(4)} ${pick(['A', 'AAAA', 'TXT', 'DS'])}`)
  const isOwn = (question: string): boolean => {
    const [name = '', type] = question.split(' ')
    const cut = closed.find(each => name === each || name.endsWith(`.${each}`))
    if (cut === undefined || names.get(cut)!.startsWith('DNAME')) return true
    return name === cut && type === 'DS'
  }
  const cuts = closed.filter(each => names.get(each)!.startsWith('NS')).map(each => `${each} DS`)
  return { text, questions: [...questions.filter(isOwn), ...cuts] }
}

t.test('no answer of any signed zone is bogus', { skip: cannotSign }, async t => {
  const random = new Random(LONG ? Date.now() | 0 : 7)
  for (let i = 0; i < shortOrLong(1, 6); i++) {
    for (const kind of ['NSEC', 'NSEC3']) {
      const { text, questions } = anyZone(random)
      await t.test(`${kind} ${i}`, async t => {
        const isRight = (judgement: string): boolean => !judgement.includes('unsigned')
        t.same(await judge(t, text, DENIALS[kind]!, questions.map(asked), isRight), [], text)
      })
    }
  }
})
