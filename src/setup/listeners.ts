// Where a Corefile's server blocks listen, and how: one listener for each scheme, address and port, with the zones of all
// blocks that have a key there. What blocks say of a listener adds up; where two say different things of one, CoreDNS
// takes either, and here it is an error at the second.

import { isDeepStrictEqual } from 'node:util'
import type { ServerBlock } from '../corefile/corefile.ts'
import { DEFAULT_PORTS, type Key, type Scheme } from '../corefile/key.ts'
import type { Problems } from '../corefile/problem.ts'
import { placeText, type Token } from '../corefile/token.ts'
import { directiveWord } from '../corefile/words.ts'
import { bindWord } from '../plugin/bind.ts'
import { httpsWord } from '../plugin/https.ts'
import type { Word } from '../plugin/plugin.ts'
import { timeoutsWord } from '../plugin/timeouts.ts'
import { tlsWord } from '../plugin/tls.ts'
import { type BlockSetup, configsOf, type ListenSetup, type ServedScheme } from './setup.ts'

/** A server block as written and as read. */
interface Block {
  readonly written: ServerBlock
  readonly read: BlockSetup
}

/** A listener while its blocks are gone through. */
interface Draft {
  readonly key: Key
  readonly scheme: ServedScheme
  readonly address: string
  readonly port: number
  readonly zones: { zone: string; block: number }[]
}

/** Directives that CoreDNS has for the schemes that are not served. */
const WORD_OF: Readonly<Partial<Record<Scheme, string>>> = {
  quic: 'quic',
  grpc: 'grpc_server',
  https3: 'https3',
}

/** The listeners of all blocks. What cannot be served together is in `problems`. */
export function readListens(
  written: readonly ServerBlock[],
  read: readonly BlockSetup[],
  problems: Problems,
  dnsPort: number,
): ListenSetup[] {
  const blocks = written.map((block, index) => ({ written: block, read: read[index]! }))
  const drafts = new Map<string, Draft>()
  blocks.forEach((block, index) => {
    for (const key of block.written.keys) {
      for (const address of configOf(block, bindWord)?.addresses ?? ['']) {
        addKey(drafts, key, address, index, problems, dnsPort)
      }
    }
    reportUseless(block, problems)
  })
  const settled = new Settler(problems)
  return [...drafts].map(([server, draft]) => settled.settle(server, draft, blocks))
}

const configOf = <C>({ read }: Block, word: Word<C>): C | undefined => configsOf(read, word)[0]

function addKey(
  drafts: Map<string, Draft>,
  key: Key,
  address: string,
  block: number,
  problems: Problems,
  dnsPort: number,
): void {
  const { scheme } = key
  if (scheme !== 'dns' && scheme !== 'tls' && scheme !== 'https') {
    const instead = directiveWord(WORD_OF[scheme] ?? '')?.notOffered ?? 'serve dns://'
    problems.error(key.token, `${scheme}:// is not offered: ${instead}`, { found: key.text })
    return
  }
  const port = key.port ?? (scheme === 'dns' ? dnsPort : DEFAULT_PORTS[scheme])
  const server = `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
  const known = drafts.get(server)
  if (known) {
    known.zones.push({ zone: key.zone, block })
    return
  }
  const other = [...drafts.values()].find(draft => draft.address === address && draft.port === port)
  if (other) {
    const message = `port ${port} speaks ${other.scheme}:// already, for ${placeText(other.key.token)}`
    problems.error(key.token, message, { found: key.text })
  }
  drafts.set(server, { key, scheme, address, port, zones: [{ zone: key.zone, block }] })
}

/** Directives that say something of listeners that the block does not have. */
function reportUseless({ written }: Block, problems: Problems): void {
  const schemes = new Set(written.keys.map(({ scheme }) => scheme))
  for (const { word } of written.directives) {
    const forTls = word.text === 'tls' && !schemes.has('tls') && !schemes.has('https')
    const forHttps = word.text === 'https' && !schemes.has('https')
    const wanted = forTls ? 'tls:// or https://' : 'https://'
    if (forTls || forHttps)
      problems.warning(word, `${word.text} means nothing here: no key of this block begins with ${wanted}`)
  }
}

/** Makes one of what several blocks say. */
class Settler {
  readonly #problems: Problems
  readonly #reported = new Set<Token>()

  constructor(problems: Problems) {
    this.#problems = problems
  }

  settle(server: string, draft: Draft, all: readonly Block[]): ListenSetup {
    const { key, scheme, address, port, zones } = draft
    const blocks = [...new Set(zones.map(({ block }) => block))].map(index => all[index]!)
    const one = <C, T>(word: Word<C>, read: (config: C) => T): T | undefined =>
      this.#one(server, blocks, word, read)
    const timeouts = {
      firstReadTimeoutMs: one(timeoutsWord, config => config.firstReadTimeoutMs),
      writeTimeoutMs: one(timeoutsWord, config => config.writeTimeoutMs),
      idleTimeoutMs: one(timeoutsWord, config => config.idleTimeoutMs),
      queriesPerConnectionMax: one(timeoutsWord, config => config.queriesPerConnectionMax),
    }
    const tls = scheme === 'dns' ? undefined : one(tlsWord, config => config)
    if (scheme !== 'dns' && tls === undefined && !blocks.some(has('tls'))) {
      this.#problems.warning(key.token, `${scheme}:// without a tls directive is not encrypted`)
    }
    return {
      scheme,
      address,
      port,
      server,
      zones,
      timeouts: Object.fromEntries(Object.entries(timeouts).filter(([, value]) => value !== undefined)),
      tls,
      connectionsMax: scheme === 'https' ? one(httpsWord, config => config.connectionsMax) : undefined,
      place: placeText(key.token),
    }
  }

  /** The value that the blocks agree on; a block that says nothing agrees. */
  #one<C, T>(server: string, blocks: readonly Block[], word: Word<C>, read: (config: C) => T): T | undefined {
    let found: { readonly value: T; readonly token: Token } | undefined
    for (const block of blocks) {
      const config = configOf(block, word)
      const token = block.written.directives.find(directive => directive.word.text === word.word)?.word
      const value = config && read(config)
      if (value === undefined || token === undefined) continue
      if (found === undefined) found = { value, token }
      else if (!isDeepStrictEqual(found.value, value) && !this.#reported.has(token)) {
        this.#reported.add(token)
        const message = `${server} has one ${word.word} for all its blocks, and ${placeText(found.token)} says otherwise`
        this.#problems.error(token, message)
      }
    }
    return found?.value
  }
}

const has =
  (word: string) =>
  ({ written }: Block): boolean =>
    written.directives.some(directive => directive.word.text === word)
