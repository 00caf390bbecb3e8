// `tls CERT KEY [CA] { client_auth MODE; keylog FILE }`: the certificate of a block's tls:// and https:// keys (CoreDNS
// plugin/tls). The files are read again while serving (../listen/tls-files.ts).

import { closeSync, openSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Line, last, readLine } from '../corefile/arguments.ts'
import { FILES_INTERVAL_MS } from '../listen/tls-files.ts'
import { CLIENT_AUTHS, type ClientAuth } from '../listen/tls-gate.ts'
import { judgePem, type PemFile, readPem } from './pem.ts'
import type { Word } from './plugin.ts'

/** The configuration of `tls`: the files with what they held when the Corefile was read. */
export interface TlsConfig {
  readonly cert: PemFile
  readonly key: PemFile
  readonly ca: PemFile | undefined
  readonly clientAuth: ClientAuth
  /** Absolute. */
  readonly keylog: string | undefined
}

/** `tls`; of several in a block the last one counts. */
export const tlsWord: Word<TlsConfig> = {
  word: 'tls',
  doc: {
    usage: 'tls CERT KEY [CA]',
    meaning: 'the certificate of the tls:// and https:// keys, and the authorities of its clients',
    default:
      "without it nothing is encrypted; without CA the default authorities judge clients' certificates",
    options: [
      {
        usage: `client_auth ${CLIENT_AUTHS.join('|')}`,
        meaning: 'whether clients are asked for a certificate, must have one, and one of CA',
        default: 'nocert',
      },
      {
        usage: 'keylog FILE',
        meaning: 'appends the secrets of all connections to a file, for a program that decrypts them',
      },
    ],
    notes: [
      `The files are read again every ${FILES_INTERVAL_MS / 1000} s, and taken for new connections when they have changed and belong together: a rotated Secret needs no restart and no reload.`,
      'TLS 1.2 and later. Certificates by ACME are not offered.',
    ],
    example: `
      tls://. {
          tls tls.crt tls.key ca.crt {
              client_auth require_and_verify
          }
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems, { directory }) {
    let config: TlsConfig | undefined
    for (const directive of directives) {
      readLine(directive, problems, line => {
        config = readTls(line, directory)
      })
    }
    last(directives, problems)
    return config
  },
}

function readTls(line: Line, directory: string): TlsConfig | undefined {
  if (!line.has) {
    line.lines()
    const instead = 'write the files of a Secret that is renewed, for example by cert-manager'
    return line.error(line.word, `certificates by ACME are not offered: ${instead}`)
  }
  const tokens = [
    line.token('a certificate'),
    line.token('its key'),
    line.has ? line.token('a CA') : undefined,
  ]
  const [cert, key, ca] = tokens.map(token => token && readPem(line, token, directory))
  let clientAuth: ClientAuth = 'nocert'
  let keylog: string | undefined
  line.options({
    client_auth: option => {
      clientAuth = option.choice('a way to treat clients', CLIENT_AUTHS) ?? clientAuth
    },
    keylog: option => {
      keylog = readKeylog(option, directory)
    },
  })
  if (!cert || !key || (tokens[2] && !ca)) return undefined
  return judgePem(line, { cert, key, ca }) ? { cert, key, ca, clientAuth, keylog } : undefined
}

function readKeylog(option: Line, directory: string): string | undefined {
  const token = option.token('a file')
  if (token === undefined) return undefined
  const path = resolve(directory, token.text)
  try {
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    return option.error(token, `cannot write this file: ${(error as Error).message}`, { found: token.text })
  }
  option.problems.warning(token, 'whoever reads this file can read all encrypted queries', {
    found: token.text,
  })
  return path
}
