// `kubernetes [ZONES…] { … }`: answers for the cluster out of the table (CoreDNS plugin/kubernetes). Options: parse.ts. The
// grammar of its names: parse-name.ts. Answers: answers.ts, which the fast path calls by itself, and for the chain
// handler.ts.

import { ownedZones } from '../owned-zones.ts'
import type { Word } from '../plugin.ts'
import type { KubernetesConfig } from './config.ts'
import { kubernetesDoc } from './doc.ts'
import { KubernetesHandler } from './handler.ts'
import { parseKubernetes } from './parse.ts'

/** `kubernetes`, once in a server block. */
export const kubernetesWord = {
  word: 'kubernetes',
  doc: kubernetesDoc,
  parse: parseKubernetes,
  create: (config, context) => new KubernetesHandler(config, context),
  effect: ({ zones, fallthrough }) => ({ owns: ownedZones(zones, fallthrough) }),
} satisfies Word<KubernetesConfig>
