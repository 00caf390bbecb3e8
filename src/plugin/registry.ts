// The Corefile words that Seamark serves, and the order of the chain. A word that is not here does nothing or is refused at
// start: as one of CoreDNS's that is not offered (corefile/words.ts), or as unknown.

import type { Directive } from '../corefile/corefile.ts'
import type { WordDoc } from '../corefile/doc.ts'
import type { Problems } from '../corefile/problem.ts'
import { DIRECTIVE_WORDS } from '../corefile/words.ts'
import { aclWord } from './acl.ts'
import { adminWord } from './admin.ts'
import { anyWord } from './any.ts'
import { autopathWord } from './autopath/autopath.ts'
import { bindWord } from './bind.ts'
import { bufsizeWord } from './bufsize.ts'
import { cacheWord } from './cache/cache.ts'
import { cancelWord } from './cancel.ts'
import { chaosWord } from './chaos.ts'
import { debugWord } from './debug.ts'
import { dns64Word } from './dns64.ts'
import { dnstapWord } from './dnstap/dnstap.ts'
import { edeWord } from './ede.ts'
import { ednsPassWord } from './edns_pass.ts'
import { errorsWord } from './errors.ts'
import { fileWord } from './file/file.ts'
import { forwardWord } from './forward/forward.ts'
import { headerWord } from './header.ts'
import { healthWord } from './health.ts'
import { hostsWord } from './hosts/hosts.ts'
import { httpsWord } from './https.ts'
import { ipv4Word } from './ipv4.ts'
import { ipv6Word } from './ipv6.ts'
import { k8sExternalWord } from './k8s_external/k8s_external.ts'
import { k8sRecordsWord } from './k8s_records/k8s_records.ts'
import { kubernetesWord } from './kubernetes/kubernetes.ts'
import { loadbalanceWord } from './loadbalance/loadbalance.ts'
import { localWord } from './local.ts'
import { logWord } from './log/log.ts'
import { loopWord } from './loop.ts'
import { metadataWord } from './metadata.ts'
import { minimalWord } from './minimal.ts'
import { multisocketWord } from './multisocket.ts'
import { nsidWord } from './nsid.ts'
import type { BlockContext, Effect, Handler, ServingContext } from './plugin.ts'
import { policyWord } from './policy/policy.ts'
import { prometheusWord } from './prometheus.ts'
import { ratelimitWord } from './ratelimit/ratelimit.ts'
import { readyWord } from './ready.ts'
import { reloadWord } from './reload.ts'
import { rewriteWord } from './rewrite/rewrite.ts'
import { rootWord } from './root.ts'
import { statusWord } from './status.ts'
import { stubDomainsWord } from './stubdomains/stubdomains.ts'
import { templateWord } from './template/template.ts'
import { timeoutsWord } from './timeouts.ts'
import { tlsWord } from './tls.ts'
import { traceWord } from './trace/trace.ts'
import { transferWord } from './transfer/transfer.ts'
import { viewWord } from './view/view.ts'
import { whoamiWord } from './whoami.ts'

/** A Word whose configuration only it understands: what `parse` gave goes back into `create` as it is. */
export interface ServedWord {
  readonly word: string
  readonly doc: WordDoc
  parse(directives: readonly Directive[], problems: Problems, block: BlockContext): unknown
  create?(config: never, context: ServingContext): Handler
  effect?(config: never): Effect
}

const words: readonly ServedWord[] = [
  aclWord,
  adminWord,
  anyWord,
  autopathWord,
  bindWord,
  bufsizeWord,
  cacheWord,
  cancelWord,
  chaosWord,
  debugWord,
  dns64Word,
  dnstapWord,
  edeWord,
  ednsPassWord,
  errorsWord,
  fileWord,
  forwardWord,
  headerWord,
  healthWord,
  hostsWord,
  k8sExternalWord,
  httpsWord,
  ipv4Word,
  ipv6Word,
  kubernetesWord,
  loadbalanceWord,
  localWord,
  logWord,
  loopWord,
  metadataWord,
  minimalWord,
  multisocketWord,
  nsidWord,
  policyWord,
  prometheusWord,
  ratelimitWord,
  readyWord,
  k8sRecordsWord,
  reloadWord,
  rewriteWord,
  rootWord,
  statusWord,
  stubDomainsWord,
  templateWord,
  viewWord,
  timeoutsWord,
  tlsWord,
  traceWord,
  transferWord,
  whoamiWord,
]

const byWord: ReadonlyMap<string, ServedWord> = new Map(words.map(served => [served.word, served]))

/** A word that Seamark serves; undefined for any other. */
export const servedWord = (word: string): ServedWord | undefined => byWord.get(word)

/** The served words in the order of the chain (docs/coredns.md 3.1). */
export const SERVED_WORDS: readonly string[] = DIRECTIVE_WORDS.map(({ word }) => word).filter(word =>
  byWord.has(word),
)
