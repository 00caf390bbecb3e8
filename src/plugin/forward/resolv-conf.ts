// Files like /etc/resolv.conf (resolv.conf(5)): the `nameserver` lines, nothing else. Unlike libc, three are no bound, and
// unlike CoreDNS a file is read again while serving: a node that changes its network is followed without a restart.
//
//   # made by DHCP
//   nameserver 10.0.0.2        {protocol: 'dns', address: '10.0.0.2', port: 53}
//   nameserver fe80::1%eth0    or the interface's number
//   search example.org         not ours

import { withInterfaceName } from '../../query/sockaddr.ts'
import { familyOf } from '../../shared/ip.ts'
import type { UpstreamAddress } from './config.ts'

/** The servers of a file's text, in its order, without repetition; a line that names none is left out. */
export function parseResolvConf(text: string): UpstreamAddress[] {
  const addresses = new Set<string>()
  for (const line of text.split('\n')) {
    const [word, address = ''] = line.trim().split(/\s+/)
    if (word === 'nameserver' && familyOf(address) !== 0) addresses.add(withInterfaceName(address))
  }
  return [...addresses].map(address => ({ protocol: 'dns', address, port: 53, serverName: undefined }))
}
