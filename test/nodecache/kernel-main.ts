// Asks the kernel for the interface and the rules of a node's cache, in the network namespace in which it is started, and prints
// as JSON what came of each step.

import { networkInterfaces } from 'node:os'
import { ensureInterface, removeInterface } from '../../src/nodecache/interface.ts'
import { ensureNotrack, removeNotrack } from '../../src/nodecache/notrack.ts'

const FAMILIES = { 4: ['169.254.20.10', '10.96.0.10'], 6: ['fd00::10'] } as const

const present = (addresses: readonly string[]): boolean[] => {
  const all = Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address))
  return addresses.map(address => all.includes(address))
}

const steps: Record<string, unknown> = {}
for (const family of [4, 6] as const) {
  const addresses = FAMILIES[family]
  const wanted = { name: 'nodelocaldns', addresses, family }
  const rules = { addresses, family, port: 53, healthPort: 8080 }
  steps[family] = {
    interface: [(await ensureInterface(wanted)).added, (await ensureInterface(wanted)).added],
    there: present(addresses),
    rules: [await ensureNotrack(rules), await ensureNotrack(rules)],
    otherRules: await ensureNotrack({
      ...rules,
      addresses: addresses.slice(0, 1),
      port: 5353,
      healthPort: 1,
    }),
    gone: [
      await removeNotrack(family),
      await removeNotrack(family),
      await removeInterface(wanted),
      await removeInterface(wanted),
    ].every(each => each === undefined),
    left: present(addresses),
    rulesAnew: await ensureNotrack(rules),
  }
}
console.log(JSON.stringify(steps))
