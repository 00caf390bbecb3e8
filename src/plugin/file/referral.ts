// What tells that a name lies in another zone (RFC 1034 4.3.2 step 3b): the name servers at the cut with their glue, and
// whether what lies below is signed (RFC 4035 3.1.4).

import { TYPE } from '../../wire/rrtype.ts'
import { SECTION } from '../../wire/walk.ts'
import type { Node } from './image.ts'
import { proveNoDs } from './proofs.ts'
import type { ZoneReply } from './reply.ts'

/** Puts the name servers of a cut into the reply. */
export function refer(reply: ZoneReply, cut: Node): ZoneReply {
  reply.add(SECTION.AUTHORITY, cut, TYPE.NS)
  if (reply.dnssecOk && !reply.add(SECTION.AUTHORITY, cut, TYPE.DS)) proveNoDs(reply, cut)
  reply.addGlue(cut)
  return reply
}
