// How `dnstap` is written.

import type { WordDoc } from '../../corefile/doc.ts'
import { MESSAGE_TYPES } from './config.ts'

export const dnstapDoc: WordDoc = {
  usage: 'dnstap SOCKET [full] [WRITEBUFFER] [QUEUE]',
  meaning:
    'sends queries and replies of clients, and those of `forward`, to a receiver of dnstap at a path, `unix://PATH`, `tcp://HOST:PORT` or `tls://HOST:PORT`; with `full` the messages themselves, too',
  default: 'WRITEBUFFER 1; QUEUE 1: 10,000 messages and 16 MiB may wait',
  range: 'WRITEBUFFER 1 to 1024, QUEUE 1 to 4096',
  options: [
    { usage: 'identity IDENTITY', meaning: 'which server this is', default: "the host's name" },
    { usage: 'version VERSION', meaning: 'what runs there', default: 'Seamark-VERSION' },
    {
      usage: 'extra EXTRA',
      meaning: 'a text beside each message, with the placeholders that `log` has, metadata among them',
      default: 'none',
    },
    { usage: 'skipverify', meaning: 'takes any certificate of a `tls://` receiver' },
    {
      usage: 'message_types TYPE…',
      meaning: 'sends only messages of these types; CoreDNS has no such option',
      default: 'all',
      range: Object.keys(MESSAGE_TYPES).join(', '),
    },
  ],
  notes: [
    'Each serving thread has a connection of its own to the receiver, and its part of the queue; what waits while there is none is sent once there is one again.',
    'WRITEBUFFER is read and means nothing: the kernel sizes its buffers itself.',
    '`dnstap listen`, which waits for receivers, is not offered.',
    'What is dropped is counted in `seamark_dnstap_dropped_total{endpoint}`.',
  ],
  example: `
    . {
        dnstap tcp://127.0.0.1:6000 full {
            identity dns-1
        }
        forward . /etc/resolv.conf
    }`,
}
