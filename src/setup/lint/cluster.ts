// What the Corefile of a cluster ought to have, and CoreDNS's users miss when it does not (blocks with `kubernetes`; a
// folder of manifests is no cluster).

import { placeText } from '../../corefile/token.ts'
import { parseListenAddress } from '../../corefile/values.ts'
import { isUnder, type Lint, option, overlap, zonesNamed } from './blocks.ts'

/** What is lost without a word. */
const EXPECTED: Readonly<Record<string, string>> = {
  errors: 'failures of upstreams and plugins are not logged',
  ready: 'the readiness probe of the Deployment has nothing to ask',
  health: 'the liveness probe of the Deployment has nothing to ask',
}

/** A cluster's block without the words that its Deployment relies on. */
export const missingWords: Lint = (block, all, problems) => {
  const [cluster] = block.clusters
  if (cluster === undefined) return
  for (const [word, lost] of Object.entries(EXPECTED)) {
    // Probes are the process's: any block may have them.
    if (word === 'errors' ? block.has(word) : all.some(other => other.has(word))) continue
    problems.warning(block.served[0]!.token, `no ${word} here: ${lost}`)
  }
  if (!all.some(other => other.has('reload'))) {
    problems.warning(block.served[0]!.token, 'no reload here: a changed Corefile counts after a restart')
  }
}

/** `health` that lets go at once: kube-proxy sends queries for some seconds after a Pod was told to end. */
export const abruptEnd: Lint = (block, all, problems) => {
  if (!all.some(other => other.clusters.length > 0)) return
  for (const directive of block.all('health')) {
    if (option(directive, 'lameduck') !== undefined) continue
    const message =
      'no lameduck: queries that still arrive after SIGTERM, for some seconds, are lost; write lameduck 5s'
    problems.warning(directive.word, message)
  }
}

/** `prometheus` without an address. */
export const hiddenMetrics: Lint = (block, _all, problems) => {
  if (block.clusters.length === 0) return
  for (const { word, args } of block.all('prometheus')) {
    const host = args[0] === undefined ? 'localhost' : parseListenAddress(args[0].text)?.host
    if (host !== 'localhost' && !host?.startsWith('127.') && host !== '::1') continue
    problems.warning(word, 'metrics are shown to this host alone; write prometheus :9153')
  }
}

/** A page on the port that queries over TCP come to. */
export const portsTwice: Lint = (block, all, problems) => {
  for (const { word, args } of ['health', 'ready', 'prometheus'].flatMap(each => block.all(each))) {
    const port = args[0] && parseListenAddress(args[0].text)?.port
    const holders = all.filter(other => !other.has('bind')).flatMap(other => other.served)
    const holder = holders.find(served => served.port === port)
    if (!holder) continue
    const message = `the server block at ${placeText(holder.token)} listens on this port: the server cannot start`
    problems.warning(args[0]!, message, { found: word.text })
  }
}

/** Reverse zones of a whole family that nothing falls out of. */
export const reverseWithoutFallthrough: Lint = (block, _all, problems) => {
  if (!block.has('forward')) return
  for (const directive of block.clusters) {
    const fallthrough = option(directive, 'fallthrough')
    const falls = fallthrough?.args.flatMap(zonesNamed) ?? []
    for (const { zone, token } of block.zonesOf(directive)) {
      if (zone !== 'in-addr.arpa.' && zone !== 'ip6.arpa.') continue
      if (fallthrough && (falls.length === 0 || falls.some(fall => overlap(fall.zone, zone)))) continue
      const message = 'addresses outside the cluster have no names: write fallthrough in-addr.arpa ip6.arpa'
      problems.warning(token, message, { found: zone })
    }
  }
}

/** `cache` before the cluster's zone, as stock Corefiles had it for years. */
export const cachedCluster: Lint = (block, _all, problems) => {
  const [cache] = block.all('cache')
  if (cache === undefined) return
  const disabled = (kind: string): readonly string[] | undefined => {
    const lines = (cache.block ?? []).filter(
      ({ word, args }) => word.text === 'disable' && args[0]?.text === kind,
    )
    if (lines.some(({ args }) => args.length === 1)) return ['.']
    return lines.flatMap(({ args }) => args.slice(1).flatMap(zonesNamed)).map(({ zone }) => zone)
  }
  for (const directive of block.clusters) {
    const { zone } = block.zonesOf(directive).find(named => !named.zone.endsWith('.arpa.')) ?? {}
    if (zone === undefined) continue
    const covered = ['success', 'denial'].every(kind => disabled(kind)?.some(off => isUnder(zone, off)))
    if (covered) continue
    const name = zone.slice(0, -1)
    const message = `CoreDNS caches ${name} with this, and a new Service may be missed for as long; Seamark never does: \`disable success ${name}\` and \`disable denial ${name}\` say so to both`
    problems.warning(cache.word, message)
  }
}
