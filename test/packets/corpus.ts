// Hostile packets as files: the name says in a sentence what is wrong, the text says what must come back and gives the octets.
//
//   # expect: FORMERR !records | silence      see ../support/expectation.ts
//   # over: udp                               udp, tcp, or stream: octets on a connection, no length put in front
//   b00b 0100 0001 0000 0000 0000             hexadecimal, blanks and line ends as one likes
//   0161*128 00                               those octets 128 times

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One packet of the corpus. */
export interface HostilePacket {
  readonly name: string
  readonly expect: string
  /** Both UDP and TCP where the file does not say. */
  readonly over: readonly ('udp' | 'tcp' | 'stream')[]
  readonly octets: Uint8Array
}

export const CORPUS = join(import.meta.dirname, 'corpus')

/** Every file of the folder, by name. Throws for one that cannot be read. */
export function readCorpus(folder: string = CORPUS): HostilePacket[] {
  const files = readdirSync(folder).filter(file => file.endsWith('.hex'))
  return files
    .sort()
    .map(file => parsePacket(file.replace('.hex', ''), readFileSync(join(folder, file), 'utf8')))
}

/** Reads a file's text. */
export function parsePacket(name: string, text: string): HostilePacket {
  const field = (key: string): string | undefined => new RegExp(`^# ${key}: (.*)$`, 'm').exec(text)?.[1]
  const expect = field('expect')
  const over = field('over')
  if (expect === undefined || (over !== undefined && !isTransport(over)))
    throw new Error(`${name}: what is expected, and over what?`)
  const words = text
    .replaceAll(/^#.*$/gm, '')
    .split(/\s+/)
    .filter(word => word !== '')
  return {
    name,
    expect,
    over: over === undefined ? ['udp', 'tcp'] : [over],
    octets: Buffer.concat(words.map(word => octetsOf(name, word))),
  }
}

/** The text of a file. */
export const formatPacket = (
  about: readonly string[],
  expect: string,
  over: string,
  octets: Uint8Array,
): string =>
  [
    ...about.map(line => `# ${line}`),
    `# expect: ${expect}`,
    `# over: ${over}`,
    ...(Buffer.from(octets)
      .toString('hex')
      .match(/.{1,64}/g) ?? []),
    '',
  ].join('\n')

const isTransport = (text: string): text is 'udp' | 'tcp' | 'stream' =>
  ['udp', 'tcp', 'stream'].includes(text)

function octetsOf(name: string, word: string): Buffer {
  const [, hex = '', times = '1'] = /^((?:[0-9a-f]{2})+)(?:\*(\d+))?$/.exec(word) ?? []
  if (hex === '') throw new Error(`${name}: ${word} is no row of octets`)
  return Buffer.from(hex.repeat(Number(times)), 'hex')
}
