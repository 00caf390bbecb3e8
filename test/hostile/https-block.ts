// What the tests of hostile clients over HTTPS share: the process with a block of HTTPS beside the one over UDP, and frames of HTTP/2.

import type { Test } from 'tap'
import { makeAuthority } from '../support/certificates.ts'
import type { Served } from '../support/served-corefile.ts'
import { clusterIp, type ServeOptions, serve } from './one-block.ts'

/** A Service that both blocks serve. */
export const NAME = 'web.default.svc.cluster.local'

/** Starts the process with the cluster over HTTPS, too; it ends with the test. */
export function serveHttps(t: Test, options: Pick<ServeOptions, 'pod'> = {}): Promise<Served> {
  const { cert, key } = makeAuthority().issue('dns')
  return serve(t, '', {
    ...options,
    manifests: clusterIp('web', '10.96.0.7'),
    files: { 'tls.crt': cert, 'tls.key': key },
    blocks: ports =>
      `https://.:${ports.https} {
        bind 127.0.0.1
        multisocket 1
        tls tls.crt tls.key
        kubernetes cluster.local {
          manifests manifests
        }
      }`,
  })
}

/** Types of frames (RFC 9113 6). */
export const FRAME = { HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, GOAWAY: 7, CONTINUATION: 9 } as const

/** A frame of HTTP/2 (RFC 9113 4.1). */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** What a client begins with (RFC 9113 3.4). */
export const OPENING = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(FRAME.SETTINGS, 0, 0, new Uint8Array(0)),
])
