// The extended error of a reply (RFC 8914) as tests read it.

import type { EdnsReply } from './dns-message.ts'

const OPTION_EDE = 15

/** `CODE text`, or '' where the reply has none. */
export function extendedError(edns: EdnsReply | undefined): string {
  const data = edns?.options.find(({ code }) => code === OPTION_EDE)?.data
  if (data === undefined) return ''
  const octets = Buffer.from(data)
  return `${octets.readUInt16BE(0)} ${octets.subarray(2).toString('utf8')}`.trimEnd()
}
