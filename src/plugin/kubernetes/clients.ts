// Which Pod a query comes from, by its source address: for autopath and policy, which need its namespace, and for the labels
// `kubernetes/client-…` of metadata. Where it is (asker.ts) is known without Pods in clusters whose Nodes tell the networks of
// their Pods, else by the Pod's node. A table keeps what is needed for that only where a server block asks for it.

import type { Directive } from '../../corefile/corefile.ts'
import type { Problems } from '../../corefile/problem.ts'
import type { Token } from '../../corefile/token.ts'
import type { ClientOptions, ObjectOptions } from '../../objects/options.ts'
import { keyEndOf } from '../../table/block.ts'
import { clientKey } from '../../table/clients.ts'
import { CLIENT_HOST_NETWORK } from '../../table/layout.ts'
import type { TableReader } from '../../table/reader.ts'
import type { BlockContext } from '../plugin.ts'

/** Where it is (asker.ts). */
const PLACE = /kubernetes\/client-(?:node|zone)\b/
const LABEL = /kubernetes\/client-(?:namespace|pod-name|label\/([\w./-]+))/g

/** Whether the `kubernetes` of the server block watches Pods, so that one can be known by its address. */
export const verifiesPods = ({ directives }: BlockContext): boolean =>
  directives
    .get('kubernetes')
    ?.some(({ block }) =>
      block?.some(({ word, args }) => word.text === 'pods' && args[0]?.text === 'verified'),
    ) ?? false

/** What the server block's topology, autopath and the labels that it names need to be known of Pods; undefined is nothing. */
export function readClients(
  { verifiedPods: isVerified, nodes: hosts }: Pick<ObjectOptions, 'verifiedPods' | 'nodes'>,
  { directives, words }: BlockContext,
  problems: Problems,
): ClientOptions | undefined {
  const named = [...directives.values()].flat().flatMap(tokensOf).filter(namesClient)
  const hasMetadata = words.has('metadata')
  if (named.length > 0 && !(isVerified && hasMetadata)) {
    const needs = isVerified ? 'the directive metadata' : '`pods verified` in kubernetes'
    problems.warning(named[0]!, `without ${needs} nothing is known of the Pod that asks`)
  }
  const texts = hasMetadata ? named.map(({ text }) => text) : []
  const isSearched =
    directives.get('autopath')?.some(({ args }) => args.at(-1)?.text === '@kubernetes') ?? false
  const isLimited = directives.get('ratelimit')?.some(isOfNamespaces) ?? false
  const isAsked = hosts || texts.length > 0 || isSearched || words.has('policy') || isLimited
  if (!isVerified || !isAsked) return undefined
  const labels = texts.flatMap(text => [...text.matchAll(LABEL)].flatMap(([, key]) => key ?? []))
  return {
    podNames: texts.some(text => text.includes('kubernetes/client-pod-name')),
    hosts,
    labels: [...new Set(labels)].sort(),
  }
}

/** Whether a `ratelimit` limits namespaces. */
export const isOfNamespaces = ({ block = [] }: Directive): boolean =>
  block.some(({ word }) => word.text.startsWith('namespace_'))

/** Whether the server block names the labels `kubernetes/client-node` or `kubernetes/client-zone`. */
export function namesPlaces({ directives, words }: BlockContext, problems: Problems): boolean {
  const named = [...directives.values()]
    .flat()
    .flatMap(tokensOf)
    .find(({ text }) => PLACE.test(text))
  if (named === undefined) return false
  if (words.has('metadata')) return true
  problems.warning(named, 'without the directive metadata nothing is known of where the client is')
  return false
}

const namesClient = ({ text }: Token): boolean => text.search(LABEL) >= 0

const tokensOf = ({ word, args, block = [] }: Directive): Token[] => [
  word,
  ...args,
  ...block.flatMap(tokensOf),
]

/** A Pod, or several of one namespace, as the source of a query. */
export interface Client {
  readonly namespace: string
  /** Whether other processes of the node have the address, too. */
  readonly hostNetwork: boolean
  /** '' where several Pods have the address, or nobody asks for names. */
  readonly podName: string
  /** The values of the labels asked for, '' for one that the Pod does not have. */
  readonly labels: readonly string[]
}

/** Finds clients in a table. */
export class Clients {
  readonly #table: TableReader
  readonly #labels: readonly string[]

  constructor(table: TableReader, { labels }: ClientOptions) {
    this.#table = table
    this.#labels = labels
  }

  /** Whose address it is; undefined where nobody knows for certain, such as before all Pods are listed. */
  find(address: string): Client | undefined {
    const table = this.#table
    const key = table.synced && !table.restored ? clientKey(address) : undefined
    const block = key && table.copyOf(key)
    if (!block) return undefined
    const detail = keyEndOf(new Int32Array(block.buffer, 0, block.length >> 2), block, 0)
    const texts: string[] = []
    for (let at = detail + 1; texts.length < 3 + this.#labels.length; at += 1 + block[at]!)
      texts.push(Buffer.from(block.buffer, at + 1, block[at]!).toString('latin1'))
    const [namespace = '', podName = '', , ...labels] = texts
    // A node's, which Pods of several namespaces share.
    if (namespace === '') return undefined
    return { namespace, podName, labels, hostNetwork: (block[detail]! & CLIENT_HOST_NETWORK) !== 0 }
  }

  /** Leaves what is known of the client in the metadata. */
  annotate(address: string, metadata: Map<string, string>): void {
    const client = this.find(address)
    if (!client) return
    metadata.set('kubernetes/client-namespace', client.namespace)
    if (client.podName !== '') metadata.set('kubernetes/client-pod-name', client.podName)
    this.#labels.forEach((key, i) => {
      const value = client.labels[i]
      if (value) metadata.set(`kubernetes/client-label/${key}`, value)
    })
  }
}
