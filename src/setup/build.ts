// Makes plain data of a parsed Corefile (setup.ts): each directive is read by its word, in the order of CoreDNS's chain.

import { dirname } from 'node:path'
import type { Corefile, Directive, ServerBlock } from '../corefile/corefile.ts'
import { usageOf, type WordDoc } from '../corefile/doc.ts'
import { FOREIGN_WORDS } from '../corefile/foreign-words.ts'
import { nearestWord, type Problem, type Problems } from '../corefile/problem.ts'
import type { Place } from '../corefile/token.ts'
import { DIRECTIVE_WORDS, directiveWord, REMOVED_WORDS } from '../corefile/words.ts'
import { adminWord } from '../plugin/admin.ts'
import { debugWord } from '../plugin/debug.ts'
import { healthWord } from '../plugin/health.ts'
import { withSharedClients } from '../plugin/kubernetes/config.ts'
import { kubernetesWord } from '../plugin/kubernetes/kubernetes.ts'
import { multisocketWord } from '../plugin/multisocket.ts'
import type { BlockContext, Word } from '../plugin/plugin.ts'
import { prometheusWord } from '../plugin/prometheus.ts'
import { readyWord } from '../plugin/ready.ts'
import { SERVED_WORDS, servedWord } from '../plugin/registry.ts'
import { reloadWord } from '../plugin/reload.ts'
import { rootWord } from '../plugin/root.ts'
import { statusWord } from '../plugin/status.ts'
import { readListens } from './listeners.ts'
import { reportPlaceholders } from './placeholders.ts'
import { type BlockSetup, configsOf, type PluginSetup, type Setup } from './setup.ts'

export interface SetupOptions {
  /** The port of keys without one (`-dns.port`). */
  readonly port: number
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Reads the blocks of a parsed Corefile. What is wrong is in `problems`; with errors there the result must not be served. */
export function buildSetup({ blocks }: Corefile, problems: Problems, options: SetupOptions): Setup {
  reportPlaceholders(blocks, problems)
  const read = shareClients(blocks.map(block => readBlock(block, problems, options)))
  const configs = <C>(word: Word<C>): C[] => read.flatMap(block => configsOf(block, word))
  return {
    blocks: read,
    listens: readListens(blocks, read, problems, options.port),
    kubernetes: configs(kubernetesWord),
    admin: configs(adminWord),
    health: configs(healthWord),
    ready: configs(readyWord),
    prometheus: configs(prometheusWord),
    status: configs(statusWord),
    reload: configs(reloadWord)[0],
    multisocket: configs(multisocketWord),
    debug: configs(debugWord).length > 0,
  }
}

/** Blocks that watch one cluster share its table, whatever each of them asks of Pods as clients. */
function shareClients(blocks: readonly BlockSetup[]): readonly BlockSetup[] {
  const all = blocks.flatMap(block => configsOf(block, kubernetesWord))
  return blocks.map(block => ({
    ...block,
    plugins: block.plugins.map(plugin => {
      const [own] = configsOf({ plugins: [plugin] }, kubernetesWord)
      return own ? { ...plugin, config: withSharedClients(own, all) } : plugin
    }),
  }))
}

function readBlock(
  { keys, directives }: ServerBlock,
  problems: Problems,
  { file, env }: SetupOptions,
): BlockSetup {
  const zones = [...new Set(keys.map(key => key.zone))]
  const byWord = new Map<string, Directive[]>()
  for (const directive of directives) {
    const { text } = directive.word
    if (!judgeWord(directive, problems)) continue
    const same = byWord.get(text)
    if (same) same.push(directive)
    else byWord.set(text, [directive])
  }
  let context: BlockContext = {
    zones,
    words: new Set(byWord.keys()),
    directives: byWord,
    directory: dirname(file),
    env,
  }
  const plugins: PluginSetup[] = []
  for (const { word } of DIRECTIVE_WORDS) {
    const same = byWord.get(word)
    const served = servedWord(word)
    if (!same || !served) continue
    const config = problems.explaining(usagesOf(served.doc, same), () =>
      served.parse(same, problems, context),
    )
    if (config !== undefined) plugins.push({ word, config })
    // The first word of the chain: all others see its folder.
    const [root] = configsOf({ plugins: plugins.slice(-1) }, rootWord)
    if (root) context = { ...context, directory: root.directory }
  }
  return { zones, plugins }
}

/** Finds how the line of a problem is written. */
function usagesOf(doc: WordDoc, directives: readonly Directive[]): (problem: Problem) => string | undefined {
  const lineOf = ({ file, line }: Place): string => `${file}:${line}`
  const usages = new Map<string, string>()
  for (const { word, block } of directives) {
    usages.set(lineOf(word), doc.usage)
    for (const option of block ?? []) usages.set(lineOf(option.word), usageOf(doc, option.word.text))
  }
  return problem => usages.get(lineOf(problem))
}

/** Whether the directive is one to be read; otherwise says why not. */
function judgeWord({ word }: Directive, problems: Problems): boolean {
  const { text } = word
  if (servedWord(text)) return true
  const removed = REMOVED_WORDS.get(text)
  const known = directiveWord(text)
  const foreign = FOREIGN_WORDS.get(text)
  if (removed !== undefined) problems.error(word, `${text} was removed from CoreDNS: ${removed}`)
  else if (known?.instead !== undefined) problems.warning(word, `${text} does nothing here: ${known.instead}`)
  else if (known?.notOffered !== undefined)
    problems.error(word, `${text} is not offered: ${known.notOffered}`)
  else if (foreign !== undefined)
    problems.error(word, `${text} is not offered, a plugin that others add to CoreDNS; it ${foreign}`)
  else problems.error(word, 'unknown directive', { found: text, allowed: nearest(text) })
  return false
}

/** The words to show for an unknown one: the one that was meant, or all. */
function nearest(text: string): readonly string[] {
  const word = nearestWord(text, SERVED_WORDS)
  return word === undefined ? SERVED_WORDS : [word]
}
