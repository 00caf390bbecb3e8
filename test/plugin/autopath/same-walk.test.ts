// `autopath @query` finds for a Pod what the Pod's own walk finds without it, and nothing in place of what that finds: random names in a world where a
// name may be a Service, an endpoint, a host at any place of the path, or fail there, for glibc and musl, A and AAAA.

import { join } from 'node:path'
import t from 'tap'
import { candidates, goesOn, type Libc, type Outcome, plainResolver } from '../../../src/explain/resolver.ts'
import { decodeMessage } from '../../support/dns-message.ts'
import { encodeQuestion } from '../../support/dns-question.ts'
import { Random } from '../../support/random.ts'
import { ServerBlock } from '../../support/server-block.ts'
import { headless, SlimCluster, slimService, slimSlice } from '../../support/slim-cluster.ts'

const NAMESPACES = ['demo', 'shop', 'test']
const LINES = `
  acl refused.test {
    block
  }
  template ANY ANY servfail.test svc.servfail.test {
    rcode SERVFAIL
  }
  template ANY ANY web.svc.cluster.local {
    rcode SERVFAIL
  }
  hosts {
    192.0.2.2 www.test.cluster.local
    192.0.2.3 host.test.svc.cluster.local
    fallthrough
  }
  kubernetes cluster.local
  file `

/** What is outside. */
const ZONE = `
. 60 IN SOA ns.test. hostmaster.test. 1 60 60 60 60
. 60 IN NS ns.test.
www.test. 60 IN A 192.0.2.1
www.test. 60 IN AAAA 2001:db8::1
four.test. 60 IN A 192.0.2.1
six.test. 60 IN AAAA 2001:db8::1
db.shop.test. 60 IN A 192.0.2.1
web.demo. 60 IN AAAA 2001:db8::1
web.shop. 60 IN A 192.0.2.1
shop.test. 60 IN CNAME www.test.
*.wild.test. 60 IN A 192.0.2.4
x.refused.test. 60 IN A 192.0.2.5
`

const world = (more: string, zone: string): ServerBlock =>
  new ServerBlock(
    `${more}${LINES}${zone} .`,
    new SlimCluster().list(
      NAMESPACES,
      [slimService('demo/web', '10.0.0.1'), slimService('shop/web', '10.0.0.2'), headless('shop/db')],
      [slimSlice('shop/db-1', 'db', ['10.1.0.1 db-0', '10.1.0.2 www'])],
    ),
  )

const WORDS = ['www', 'db', 'db-0', 'web', 'shop', 'demo', 'svc', 'cluster', 'local', 'test', 'four', 'six', 'host', 'servfail', 'refused', '_tcp'] // biome-ignore format: a list

const KNOWN = ['www.test', 'four.test', 'six.test', 'db.shop.test', 'web.shop', 'web.demo', 'db.shop', 'db-0.db.shop', 'host.test', 'a.wild.test', 'shop.test', 'x.servfail.test', 'x.refused.test', 'nobody.test', 'db.shop.svc'] // biome-ignore format: a list

interface Found {
  readonly outcome: Outcome
  /** The addresses, sorted. */
  readonly addresses: string
}

async function askOnce(block: ServerBlock, name: string, type: string): Promise<Found> {
  const octets = await block.late(encodeQuestion({ name, type }))
  if (octets === undefined) return { outcome: 'silence', addresses: '' }
  const { rcode, records } = decodeMessage(octets)
  const addresses = records.answer.flatMap(each => (each.type === type ? String(each.data) : [])).sort()
  const outcome =
    rcode === 'NXDOMAIN'
      ? 'no-name'
      : rcode === 'SERVFAIL'
        ? 'failure'
        : rcode !== 'NOERROR'
          ? 'refused'
          : addresses.length > 0
            ? 'answer'
            : 'no-data'
  return { outcome, addresses: addresses.join(' ') }
}

/** What the resolver of a Pod of the namespace finds, and with how many questions. */
async function walk(
  block: ServerBlock,
  namespace: string,
  asked: string,
  type: string,
  libc: Libc,
): Promise<{ readonly found: string; readonly questions: number }> {
  const seen = new Set<Outcome>()
  let questions = 0
  for (const name of candidates(asked, plainResolver(namespace, 'cluster.local.'), libc)) {
    questions++
    const { outcome, addresses } = await askOnce(block, name, type)
    if (outcome === 'answer') return { found: addresses, questions }
    seen.add(outcome)
    if (!goesOn(libc, outcome)) break
  }
  // A failure anywhere on the way is told as one, and not as a name that does not exist.
  const worst = (['refused', 'silence', 'failure', 'no-data'] as const).find(each => seen.has(each))
  return { found: worst ?? 'no-name', questions }
}

t.test('the same is found, with fewer questions', async t => {
  const zone = join(t.testdir({ zone: ZONE }), 'zone')
  const [plain, walked] = [world('', zone), world('autopath @query\n', zone)]
  const random = new Random(7)
  let [before, after] = [0, 0]
  let dangers = 0
  const relieved = new Map<string, number>()
  for (let i = 0; i < 250; i++) {
    const made = Array.from({ length: 1 + random.below(4) }, () => random.pick(WORDS)).join('.')
    const asked = random.chance(40) ? random.pick(KNOWN) : made
    const namespace = random.pick(NAMESPACES)
    for (const type of ['A', 'AAAA'])
      for (const libc of ['glibc', 'musl'] as const) {
        const [own, served] = [
          await walk(plain, namespace, asked, type, libc),
          await walk(walked, namespace, asked, type, libc),
        ]
        before += own.questions
        after += served.questions
        if (served.questions < own.questions) {
          const kind = /\d/.test(own.found) ? 'found' : own.found
          relieved.set(kind, (relieved.get(kind) ?? 0) + 1)
        }
        // X.NAMESPACE, which is not there, looks like X of a Pod of NAMESPACE: the danger that the word's notes tell.
        const isDanger = !/\d/.test(own.found) && NAMESPACES.includes(asked.split('.').at(-1)!)
        if (own.found === served.found && served.questions <= own.questions) continue
        if (isDanger && served.found !== own.found) dangers++
        else t.same(served, own, `${libc} in ${namespace}: ${asked} ${type}`)
      }
  }
  t.comment([...relieved].map(([kind, times]) => `${kind} ${times}`).join(', '))
  t.ok((relieved.get('found') ?? 0) > 20, 'names were found along the path')
  t.ok(dangers < 20, `${dangers} that exist nowhere were taken for those of another namespace`)
  t.ok(after < before, `${after} questions in place of ${before}`)
  await plain.stop()
  await walked.stop()
})
