// Reads the `transfer` directives of a block.

import { type Line, readLine } from '../../corefile/arguments.ts'
import { parseAddressPort } from '../../corefile/values.ts'
import { withInterfaceName } from '../../query/sockaddr.ts'
import { parseIp } from '../../shared/ip.ts'
import type { Word } from '../plugin.ts'
import type { Peer, TransferConfig, TransferRule } from './config.ts'

/** Addresses of one directive. */
const PEERS_MAX = 256
const DNS_PORT = 53

/** Reads the directives of a block. */
export const parseTransfer: Word<TransferConfig>['parse'] = (directives, problems, { zones }) => {
  const rules: TransferRule[] = []
  for (const directive of directives) {
    readLine(directive, problems, line => {
      const rule = readRule(line, zones)
      if (!rule.anyone && rule.peers.length === 0) line.error(line.word, 'transfer needs the option to')
      rules.push(rule)
    })
  }
  return { rules }
}

function readRule(line: Line, blockZones: readonly string[]): TransferRule {
  const zones = line.zones(blockZones)
  const peers: Peer[] = []
  let anyone = false
  let source: string | undefined
  line.options({
    to: option => {
      for (const token of option.some('an address or *')) {
        const peer = parsePeer(token.text)
        if (token.text === '*') anyone = true
        else if (peer) peers.push(peer)
        else
          option.error(token, 'this is neither * nor an IP address with or without a port', {
            found: token.text,
          })
      }
      if (peers.length > PEERS_MAX) option.error(option.word, `more than ${PEERS_MAX} addresses`)
    },
    source: option => {
      option.once()
      source = option.ip('the source address') ?? source
    },
  })
  return { zones, anyone, peers, source }
}

function parsePeer(text: string): Peer | undefined {
  const parsed = parseAddressPort(text)
  const [host = '', scope] = parsed?.address.split('%') ?? []
  const ip = parseIp(host)
  if (parsed === undefined || ip === undefined) return undefined
  const address = scope === undefined ? ip.text : withInterfaceName(`${ip.text}%${scope}`)
  return { address, port: parsed.port ?? DNS_PORT }
}
