// Cache key confusion (TOB-CDNS-8, CVE-2024-0874 over the CD bit, AD that was cached for the wrong client): whoever asks
// second is told what an empty cache would have told, whatever bits the first one set and however alike the names are.

import t from 'tap'
import { type Query, query } from '../support/dns-client.ts'
import {
  type Asked,
  a,
  nameOf,
  questionOf,
  replyTo,
  type Script,
  soa,
  UpstreamStub,
} from '../support/upstream-stub.ts'
import { serve, unharmed } from './one-block.ts'

/** Every way to ask: no EDNS, EDNS, EDNS with DO; each with and without CD and AD. */
const ASKERS: readonly Partial<Query>[] = [false, true, { dnssecOk: true }].flatMap(edns =>
  [false, true].flatMap(cd => [false, true].map(ad => ({ edns, cd, ad }))),
)
const KINDS = ['good', 'bogus', 'nodata'] as const

/** A validating upstream: AD where it is asked for and nothing is disabled, signatures with DO, a bogus name without CD. */
const validating: Script = (asked, back) => {
  const owner = nameOf(asked)
  const { cd } = asked.flags
  const dnssecOk = asked.edns?.dnssecOk ?? false
  const ad = (asked.flags.ad || dnssecOk) && !cd
  const signature = { owner, type: 'RRSIG', ttlSeconds: 30, rdata: signatureOver(asked) }
  if (owner.startsWith('bogus') && !cd) back.send(replyTo(asked, { rcode: 2 }))
  else if (owner.startsWith('nodata')) back.send(replyTo(asked, { ad, authority: [soa('example.org', 30)] }))
  else back.send(replyTo(asked, { ad, answer: [a(owner, 30), ...(dnssecOk ? [signature] : [])] }))
}

/** An RRSIG over the asked type (RFC 4034 3.1) as far as anybody looks. */
const signatureOver = (asked: Asked): Uint8Array =>
  Uint8Array.of(...questionOf(asked).subarray(-4, -2), 13, 2, ...new Uint8Array(14), 0, 1, 2, 3)

/** What of a reply may not depend on who asked before; AA says that it came out of the cache, EDE 13 likewise. */
async function told(port: number, name: string, asker: Partial<Query>): Promise<string> {
  const { rcode, flags, answer, authority, edns } = await query(port, { name, ...asker })
  const records = [...answer, ...authority].map(record => record.slice(record.indexOf(' ')))
  return `${rcode} ad=${flags.ad} cd=${flags.cd} do=${edns?.dnssecOk} ${records.join()}`
}

t.test('every pair of clients, in every order', async t => {
  const stub = await UpstreamStub.start(validating)
  t.teardown(() => stub.pause())
  const served = await serve(t, `cache\nforward . ${stub.to}`)
  let names = 0
  for (const kind of KINDS) {
    const alone = await Promise.all(
      ASKERS.map(asker => told(served.port, `${kind}-${names++}.example.org`, asker)),
    )
    for (const first of ASKERS) {
      await Promise.all(
        ASKERS.map(async (second, i) => {
          const name = `${kind}-${names++}.example.org`
          await told(served.port, name, first)
          const title = `${kind}: ${JSON.stringify(first)}, then ${JSON.stringify(second)}`
          t.equal(await told(served.port, name, second), alone[i], title)
          t.equal(await told(served.port, name, second), alone[i], `${title}, twice`)
        }),
      )
    }
  }
  await unharmed(t, served)
})

t.test('names that are alike are not the same', async t => {
  const stub = await UpstreamStub.start((asked, back) => {
    const rdata = Uint8Array.of(192, 0, 2, stub.asked.length)
    const type = asked.what.split(' ')[2]!
    back.send(replyTo(asked, { answer: [{ owner: nameOf(asked), type, ttlSeconds: 30, rdata }] }))
  })
  t.teardown(() => stub.pause())
  const { port } = await serve(t, `cache\nforward . ${stub.to}`)
  const questions: readonly Pick<Query, 'name' | 'type'>[] = [
    { name: 'a.b.example.org' },
    { name: 'a\\.b.example.org' },
    { name: 'a\\000b.example.org' },
    { name: 'a\\001b.example.org' },
    { name: 'a.b\\.example.org' },
    { name: 'ab.example.org' },
    { name: 'a.b.example.org.example.org' },
    { name: 'k.example.org' },
    // U+212A, the Kelvin sign, whose lower case is a k; and the octets that upper case would make of others.
    { name: '\\226\\132\\170.example.org' },
    { name: '\\107\\255.example.org' },
    { name: '\\107\\223.example.org' },
    { name: '__proto__.example.org' },
    { name: 'constructor' },
    { name: '.' },
    { name: 'a.b.example.org', type: 'TYPE65280' },
    { name: 'a.b.example.org', type: 'TYPE65281' },
  ]
  const ask = async (question: Query): Promise<string | undefined> =>
    (await query(port, question)).answer[0]?.split(' ').at(-1)
  const first: (string | undefined)[] = []
  for (const question of questions) first.push(await ask(question))
  t.equal(new Set(first).size, questions.length, 'each has an answer of its own')
  t.strictSame(await Promise.all(questions.map(ask)), first, 'and again')
  t.equal(await ask({ name: 'K.Example.ORG' }), first[7], 'the case of ASCII letters is no difference')
  t.equal(stub.asked.length, questions.length)
})
