// `hosts [FILE [ZONES…]] { lines of a hosts file; options }`: names and addresses of a hosts file and of lines in the
// Corefile (CoreDNS plugin/hosts).
//
//   hosts /etc/coredns/NodeHosts {     what k3s writes
//     10.0.0.1 gateway.example.org     lines of addresses stand before `fallthrough`
//     ttl 60
//     reload 15s
//     fallthrough
//   }

import type { Word } from '../plugin.ts'
import type { HostsConfig } from './config.ts'
import { hostsDoc } from './doc.ts'
import { HostsHandler } from './handler.ts'
import { parseHosts } from './parse.ts'

/** `hosts`, once in a server block. */
export const hostsWord = {
  word: 'hosts',
  doc: hostsDoc,
  parse: parseHosts,
  create: (config, context) => new HostsHandler(config, context),
} satisfies Word<HostsConfig>
