// L7: a headless Service swaps its fifty addresses for fifty others, over and over. Every answer has the ones or the others.

import { eventually } from '../../e2e/processes.ts'
import { Asker } from '../common/asker.ts'
import type { LoadRow } from './context.ts'
import { BOUNDS, promised } from './goals.ts'
import { addressesOf, ProbeService } from './probe-service.ts'

const ENDPOINTS = 50
const SWAP_MS = 5
const SECONDS_MAX = 10

/** The second octet of all addresses of either set. */
const SETS = [80, 81] as const
const addressesIn = (set: number): string[] => Array.from({ length: ENDPOINTS }, (_, n) => `10.${set}.0.${n}`)

/** Which set an answer is exactly; undefined where it is neither. */
export function setOf(addresses: readonly number[] | undefined): number | undefined {
  const [first = 0] = addresses ?? []
  const set = (first >> 16) & 255
  const distinct = new Set(addresses)
  const whole =
    distinct.size === ENDPOINTS &&
    addresses!.length === ENDPOINTS &&
    addresses!.every(address => address >>> 8 === ((10 << 16) | (set << 8)) && (address & 255) < ENDPOINTS)
  return whole ? set : undefined
}

export const tornRow: LoadRow = {
  title: 'L7 no torn reads',
  async run(context) {
    const subject = await context.subject('seamark')
    const seconds = Math.min(SECONDS_MAX, context.effort.seconds)
    const probe = new ProbeService(context.bench.world, 'torn')
    let answers = 0
    let swaps = 0
    let torn = 0
    let last: number | undefined
    probe.point(addressesIn(SETS[0]))
    const question = { name: probe.fqdn, type: 'A', edns: { udpSize: 4096 } }
    const asker = await Asker.start(subject.port, question, ({ octets }) => {
      const set = setOf(addressesOf(octets))
      // The Service is new.
      if (set === undefined && last === undefined) return
      answers++
      if (set === undefined) torn++
      else if (set !== last) swaps++
      last = set ?? last
    })
    try {
      await eventually('the first set is seen', () => last !== undefined)
      let turn = 0
      const timer = setInterval(() => probe.point(addressesIn(SETS[++turn % 2]!)), SWAP_MS)
      await new Promise(resolve => setTimeout(resolve, seconds * 1000))
      clearInterval(timer)
    } finally {
      asker.stop()
      probe.delete()
    }
    const seen = `${answers.toLocaleString('en')} answers, ${swaps.toLocaleString('en')} swaps seen`
    return [
      promised({
        title: `L7 answers with parts of two sets of ${ENDPOINTS} addresses (${seen})`,
        unit: 'answers',
        values: { seamark: torn },
        most: BOUNDS.torn,
      }),
    ]
  },
}
