// Reads the `dnstap` directives of a block (CoreDNS plugin/dnstap/setup.go).

import { hostname } from 'node:os'
import { type Line, readLine } from '../../corefile/arguments.ts'
import { parseListenAddress } from '../../corefile/values.ts'
import { VERSION } from '../../shared/version.ts'
import { expandFormat } from '../log/format.ts'
import type { Word } from '../plugin.ts'
import {
  type DnstapConfig,
  type Endpoint,
  MESSAGE_TYPES,
  type MessageType,
  QUEUE_MAX,
  type TapConfig,
  WRITE_BUFFER_MAX,
} from './config.ts'

/** Of a socket (unix(7)). */
const PATH_MAX_OCTETS = 107
const TYPES = Object.keys(MESSAGE_TYPES) as MessageType[]

export const parseDnstap: Word<DnstapConfig>['parse'] = (directives, problems) => {
  const taps: TapConfig[] = []
  for (const directive of directives) {
    readLine(directive, problems, line => {
      const tap = readTap(line)
      if (tap !== undefined) taps.push(tap)
    })
  }
  return { taps }
}

function readTap(line: Line): TapConfig | undefined {
  const token = line.token('a socket: a path, tcp://HOST:PORT or tls://HOST:PORT')
  if (token === undefined) return undefined
  if (token.text === 'listen') {
    line.rest()
    line.options({ identity: skip, version: skip, extra: skip, tls: skip, skipverify: skip })
    return line.error(token, 'dnstap listen is not offered: let the receiver listen, and write its address', {
      found: token.text,
    })
  }
  const endpoint = endpointOf(token.text)
  if (endpoint === undefined)
    return line.error(
      token,
      'this is no socket: a path of at most 107 octets, tcp://HOST:PORT or tls://HOST:PORT',
      {
        found: token.text,
      },
    )
  // As CoreDNS: anything but `full` is read over.
  const full = line.has && line.text('full') === 'full'
  if (line.has) line.integer('the write buffer in MiB', 1, WRITE_BUFFER_MAX)
  const queue = line.has ? (line.integer('the queue', 1, QUEUE_MAX) ?? 1) : 1
  let identity = hostname()
  let version = `Seamark-${VERSION}`
  let extra = ''
  let skipVerify = false
  let types: readonly MessageType[] = TYPES
  line.options({
    identity: option => {
      identity = option.text('an identity') ?? identity
    },
    version: option => {
      version = option.text('a version') ?? version
    },
    extra: option => {
      extra = expandFormat(option.text('a text') ?? '')
    },
    skipverify: () => {
      skipVerify = true
    },
    message_types: option => {
      const chosen: MessageType[] = []
      if (!option.has) option.error(option.word, 'message_types needs a type', { allowed: TYPES })
      while (option.has) {
        const type = option.choice('a type of message', TYPES)
        if (type !== undefined) chosen.push(type)
      }
      types = chosen
    },
  })
  return { endpoint, text: token.text, full, queue, identity, version, extra, skipVerify, types }
}

const skip = (option: Line): void => void option.rest()

function endpointOf(text: string): Endpoint | undefined {
  const [, protocol, rest = ''] = /^(tcp|tls):\/\/(.*)$/.exec(text) ?? []
  if (protocol === 'tcp' || protocol === 'tls') {
    const address = parseListenAddress(rest)
    return address && { protocol, host: address.host === '' ? 'localhost' : address.host, port: address.port }
  }
  const path = text.replace(/^unix:\/\//, '')
  return path === '' || Buffer.byteLength(path) > PATH_MAX_OCTETS ? undefined : { protocol: 'unix', path }
}
