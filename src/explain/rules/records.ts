// Causes in objects that ask for names outside of the cluster: a DNSRecord for the name that is not served.

import type { Refusal } from '../../objects/verdict.ts'
import { bare, type Rule } from '../case.ts'

const ADVICE: Readonly<Partial<Record<Refusal, string>>> = {
  NotDelegated:
    'Write the namespace behind `delegate` of a suffix in k8s_records, or take a name below one that it has.',
  Conflict: 'Take another name, or delete the older object.',
  OwnZone: "Take a name outside of the cluster's zones.",
  TooMany: 'Delete records of the namespace that nobody needs.',
}

export const refusedRecord: Rule = ({ transcript, sought, world }) => {
  const name = bare(sought).toLowerCase()
  for (const { cluster } of world.clusters) {
    for (const [key, { namespace, name: own, records }] of cluster.objects('DNSRecord')) {
      const isAsked = records.some(
        set => set.name === name && (set.type === transcript.type || set.type === 'CNAME'),
      )
      const verdict = isAsked ? cluster.verdictOf('DNSRecord', key) : undefined
      if (verdict?.refusal === undefined) continue
      return {
        cause: `DNSRecord ${key} asks for ${name}, and is refused: ${verdict.message}.`,
        advice:
          ADVICE[verdict.refusal] ?? `Look at it: kubectl -n ${namespace} get dnsrecord ${own} -o yaml.`,
      }
    }
  }
  return undefined
}
