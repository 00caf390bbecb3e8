// Which records of a stored reply `loadbalance` may shuffle by swapping their data: addresses of equal owner, type and length,
// behind all others. Its order is CNAMEs, others, addresses, MX, each section for itself.

import { sameName } from '../../wire/message-name.ts'
import { TYPE } from '../../wire/rrtype.ts'
import { RecordWalk, SECTION } from '../../wire/walk.ts'

/** The length of a run in a reply that cannot be re-ordered by moving address octets alone. */
export const RUN_MIXED = 0xffff

const RANK_ADDRESS = 2
const RANK_MX = 3
const walk = new RecordWalk()

/** The number of the first record to be shuffled, and how many << 16; 0 is nothing to shuffle. */
export function addressRun(octets: Uint8Array, start: number, end: number): number {
  let section = -1
  let rankBefore = 0
  let mxs = 0
  let addresses = 0
  let [first, count, firstType, firstClass, firstOwnerAt] = [0, 0, 0, 0, 0]
  let i = 0
  for (walk.open(octets, start, end); walk.next(); i++) {
    const { type, rrclass, ownerAt } = walk
    if (walk.section !== section) {
      section = walk.section
      rankBefore = mxs = addresses = 0
    }
    const rank = rankOf(type)
    if (rank < rankBefore || (rank === RANK_MX && ++mxs > 1)) return MIXED
    rankBefore = rank
    if (rank !== RANK_ADDRESS) continue
    if (++addresses > 1 && section !== SECTION.ANSWER) return MIXED
    if (section !== SECTION.ANSWER) continue
    const isWhole = walk.rdataEnd - walk.rdataAt === (type === TYPE.A ? 4 : 16)
    if (addresses === 1)
      [first, count, firstType, firstClass, firstOwnerAt] = [i, 1, isWhole ? type : 0, rrclass, ownerAt]
    else {
      const isAlike = isWhole && type === firstType && rrclass === firstClass
      if (!isAlike || !sameName(octets, ownerAt, start, octets, firstOwnerAt, start)) return MIXED
      count++
    }
  }
  return count > 1 ? first | (count << 16) : 0
}

const MIXED = RUN_MIXED << 16

function rankOf(type: number): number {
  if (type === TYPE.CNAME) return 0
  if (type === TYPE.A || type === TYPE.AAAA) return RANK_ADDRESS
  return type === TYPE.MX ? RANK_MX : 1
}
