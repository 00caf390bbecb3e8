// Network errors in the words that operators of CoreDNS filter their logs by (`errors { consolidate … ".* i/o timeout$" }`):
//
//   read udp 10.0.0.7:40212->10.0.0.1:53: i/o timeout
//   dial tcp 10.0.0.1:53: connect: connection refused

import { addressText } from './config.ts'

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EPIPE: 'broken pipe',
  ENETUNREACH: 'network is unreachable',
  EHOSTUNREACH: 'no route to host',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EMFILE: 'too many open files',
  EPERM: 'operation not permitted',
  EACCES: 'permission denied',
  EMSGSIZE: 'message too long',
  ENOBUFS: 'no buffer space available',
  ETIMEDOUT: 'connection timed out',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the server does not speak this protocol',
}

/** What was being done: `write udp`, `dial tcp`, and between whom. */
export interface Operation {
  readonly verb: 'dial' | 'read' | 'write'
  readonly protocol: 'udp' | 'tcp'
  readonly local?: { readonly address: string; readonly port: number } | undefined
  readonly remote: { readonly address: string; readonly port: number }
}

/** The operation and how it failed. */
export function operationText({ verb, protocol, local, remote }: Operation, reason: string): string {
  const ends =
    local && verb !== 'dial' ? `${addressText(local)}->${addressText(remote)}` : addressText(remote)
  return `${verb} ${protocol} ${ends}: ${reason}`
}

/** A system error of that operation. */
export function errorText(operation: Operation, error: NodeJS.ErrnoException): string {
  const reason = REASONS[error.code ?? '']
  // The last words are about Node's own flags, of which nobody in a cluster has any.
  if (reason === undefined)
    return operationText(operation, error.message.replace(/; if the root CA is installed locally.*$/s, ''))
  const call = operation.verb === 'dial' ? 'connect' : operation.verb
  return operationText(operation, `${call}: ${reason}`)
}

/** How an operation failed, without what was being done and between whom. */
export const reasonIn = (text: string): string =>
  text.replace(/^(?:dial|read|write) (?:udp|tcp) \S+: (?:(?:connect|read|write): )?/, '')

const OURS =
  /: (?:too many open files|no buffer space available|too many queries under way|cannot assign requested address)$/

/** Whether a failure is this machine's own: it says nothing about the upstream. */
export const isOurs = (text: string): boolean => OURS.test(text)

/** No answer in time. */
export const timeoutText = (operation: Operation): string => operationText(operation, 'i/o timeout')
