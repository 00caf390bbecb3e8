// `admin [ADDRESS]`: where the server answers its operator's commands (`seamark explain`): a Unix socket, or TCP on this machine
// alone. Not a directive of CoreDNS.

import { once, readLine } from '../corefile/arguments.ts'
import { type AdminAddress, parseAdminAddress } from '../shared/admin-socket.ts'
import { contains, parseCidr, parseIp } from '../shared/ip.ts'
import type { Word } from './plugin.ts'

/** The configuration of `admin`. */
export interface AdminConfig {
  /** Undefined is the socket of the process. */
  readonly address: AdminAddress | undefined
}

/** On macOS; 107 on Linux. */
const SOCKET_PATH_MAX_OCTETS = 103
const LOOPBACK = ['127.0.0.0/8', '::1/128'].map(text => parseCidr(text)!)

/** `admin`, once in a server block. */
export const adminWord: Word<AdminConfig> = {
  word: 'admin',
  doc: {
    usage: 'admin [ADDRESS]',
    meaning:
      'answers the commands of its operator, such as `seamark explain`, at a Unix socket or at an address of loopback',
    default: 'in a Pod a Unix socket that its user alone can reach, elsewhere nothing',
    range: '`PATH`, `unix:PATH`, `127.0.0.1:PORT`, `[::1]:PORT`',
    options: [],
    notes: [
      'Without an address it is seamark-UID/PID.sock in $XDG_RUNTIME_DIR, else in /dev/shm, which `seamark explain` finds by itself; in a Pod that is there without the directive.',
      'Whoever reaches it may ask questions in the name of any client and see names of Services and Pods, and can change nothing. At most 8 connections and 100 commands a second are served; the rest are refused, and counted in `seamark_admin_requests_total`.',
    ],
    example: `
      . {
          admin 127.0.0.1:8053
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems) {
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    let address: AdminAddress | undefined
    readLine(directive, problems, line => {
      const token = line.has ? line.token('an address') : undefined
      if (token === undefined) return
      address = parseAdminAddress(token.text)
      if (address === undefined)
        line.error(token, 'this is neither a path nor HOST:PORT', { found: token.text })
      else if ('path' in address && Buffer.byteLength(address.path) > SOCKET_PATH_MAX_OCTETS)
        line.error(token, `a path of a Unix socket has ${SOCKET_PATH_MAX_OCTETS} octets at most`)
      else if ('host' in address && !isLoopback(address.host))
        line.error(token, 'only addresses of loopback are safe here', {
          found: token.text,
          allowed: ['127.0.0.1:PORT', '[::1]:PORT', '/PATH'],
        })
    })
    return { address }
  },
}

function isLoopback(host: string): boolean {
  const ip = parseIp(host)
  return ip !== undefined && LOOPBACK.some(network => contains(network, ip))
}
