// Where aliases lead (RFC 1034 4.3.2 step 3a): inside the zone along its own records; everywhere else, and to names that the
// zone makes from wildcards, by asking the whole server, as CoreDNS does. The code is that of the last name (RFC 6604 3).

import { aliasEnd } from '../../query/alias.ts'
import type { Query } from '../../query/query.ts'
import { answer, type Reply } from '../../query/reply.ts'
import { isWithin, type Name, nameKey } from '../../wire/name.ts'
import { RCODE } from '../../wire/rcode.ts'
import { type Rr, targetOf } from '../../wire/record.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { PLUGIN, type ZoneView } from './view.ts'

/** Aliases of the zone followed for one question; an answer with this many ends there, as in CoreDNS. */
export const ALIASES_MAX = 10

/** The reply to a question whose name is an alias; `aliases` is its CNAME, with signatures. */
export async function followAlias(view: ZoneView, query: Query, aliases: readonly Rr[]): Promise<Reply> {
  const { zone } = view
  const { qtype } = query.question
  const chain = [...aliases]
  let target = targetOf(aliases[0]!)
  const seen = new Set([nameKey(aliases[0]!.owner)])
  for (let links = 1; links < ALIASES_MAX && !seen.has(nameKey(target)); links++) {
    seen.add(nameKey(target))
    const inZone = isWithin(target, zone.origin)
    const cut = inZone ? view.cutAbove(target, qtype) : 0
    if (cut !== 0) return { ...answer(PLUGIN, chain), ...view.referral(cut) }
    const node = inZone ? zone.find(target) : 0
    const isApexOfChain = qtype === TYPE.NS || (qtype === TYPE.SOA && view.isOrigin(target))
    if (node === 0 || view.isBare(node) || isApexOfChain) return ask(view, query, chain, target)
    const next = view.rrset(node, TYPE.CNAME)
    if (next.length === 0) return close(view, chain, view.rrset(node, qtype))
    chain.push(...next)
    target = targetOf(next[0]!)
  }
  return { ...answer(PLUGIN, chain, view.targets(chain)), authority: view.nameservers() }
}

/** Without the type at the end it is NODATA, which the SOA tells from a referral (RFC 2308 2.2). */
function close(view: ZoneView, chain: readonly Rr[], records: readonly Rr[]): Reply {
  const all = [...chain, ...records]
  const authority = records.length > 0 ? view.nameservers() : view.negativeSoa()
  return { ...answer(PLUGIN, all, view.targets(all)), authority }
}

/** Takes the answer of the whole server to the last name. */
async function ask(view: ZoneView, query: Query, chain: readonly Rr[], target: Name): Promise<Reply> {
  const reply = await query.lookup(target, query.question.qtype)
  const { rcode, answer: records, truncated } = reply
  const negative = rcode === RCODE.NXDOMAIN || (rcode === RCODE.NOERROR && records.length === 0)
  const all = [...chain, ...records]
  return {
    ...answer(PLUGIN, all, view.targets(all)),
    rcode: rcode === RCODE.NXDOMAIN || rcode === RCODE.SERVFAIL ? rcode : RCODE.NOERROR,
    authority: negative ? view.negativeSoa() : view.nameservers(),
    truncated,
    extendedError: aliasEnd(target, reply).extendedError,
  }
}
