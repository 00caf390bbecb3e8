// The few system calls that node has no words for, through koffi, where it loads: Linux on x64 and arm64,
// glibc or musl. Pointers are plain numbers into memory that never moves; a call costs about 200 ns, so they
// are made per batch.

import { closeSync, openSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { loadKoffi } from '../shared/koffi.ts'
import { type FdWatch, FdWatches } from './fd-watches.ts'
import { codeOf } from './listener.ts'

/** Results are the calls' own: -1 where they fail, and then `errno` says why. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, octets: number): number
  bind(fd: number, address: Uint8Array, octets: number): number
  connect(fd: number, address: Uint8Array, octets: number): number
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, octets: Uint8Array): number
  getsockname(fd: number, address: Uint8Array, octets: Uint8Array): number
  dup3(from: number, to: number, flags: number): number
  close(fd: number): number
  recvmmsg(fd: number, headers: number, count: number, flags: number, timeout: number): number
  sendmmsg(fd: number, headers: number, count: number, flags: number): number
  errno(): number
  /** Where the octets lie. They must be kept referenced for as long as the number is used. */
  addressOf(octets: Uint8Array): number
  /** Calls back whenever the descriptor is readable. */
  watch(fd: number, onReadable: () => void): FdWatch
}

/** Values of Linux on x64 and arm64 (asm-generic/errno.h, asm-generic/socket.h, linux/in.h, linux/in6.h). */
export const LINUX = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_NONBLOCK: 0x800,
  /** Also O_CLOEXEC. */
  SOCK_CLOEXEC: 0x80000,
  SOL_SOCKET: 1,
  SO_TYPE: 3,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_REUSEPORT: 15,
  SO_ACCEPTCONN: 30,
  SO_RCVBUFFORCE: 33,
  SO_DOMAIN: 39,
  IPPROTO_IP: 0,
  IP_PKTINFO: 8,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 26,
  IPV6_RECVPKTINFO: 49,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  EINTR: 4,
  EBADF: 9,
  EAGAIN: 11,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
} as const

let loading: Promise<Libc | undefined> | undefined
let loaded: Libc | undefined

/** The calls, or undefined where they cannot be had; looked for once. Never rejects. */
export function loadLibc(): Promise<Libc | undefined> {
  loading ??= load()
  return loading
}

/** The calls where `loadLibc` has found them already. */
export const loadedLibc = (): Libc | undefined => loaded

async function load(): Promise<Libc | undefined> {
  if (process.arch !== 'x64' && process.arch !== 'arm64') return undefined
  // Where there is none, node:dgram serves and the listener's kind says so.
  const native = await loadKoffi()
  if (native === undefined) return undefined
  const { koffi, library } = native
  const libc: Libc = {
    socket: library.func('socket', 'int', ['int', 'int', 'int']),
    setsockopt: library.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint']),
    bind: library.func('bind', 'int', ['int', 'void *', 'uint']),
    connect: library.func('connect', 'int', ['int', 'void *', 'uint']),
    getsockopt: library.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']),
    getsockname: library.func('getsockname', 'int', ['int', 'void *', 'void *']),
    dup3: library.func('dup3', 'int', ['int', 'int', 'int']),
    close: library.func('close', 'int', ['int']),
    recvmmsg: library.func('recvmmsg', 'int', ['int', 'uintptr_t', 'uint', 'int', 'uintptr_t']),
    sendmmsg: library.func('sendmmsg', 'int', ['int', 'uintptr_t', 'uint', 'int']),
    errno: () => koffi.errno(),
    addressOf: octets => Number(koffi.address(octets)),
    watch: (fd, onReadable) => watches!.watch(fd, onReadable),
  }
  const watches = hasBatches(libc) ? FdWatches.open(koffi, library, fd => adoptFd(libc, fd)) : undefined
  loaded = watches && libc
  return loaded
}

/**
 * Whether the kernel, or the sandbox around us, lets the calls through: then it only minds the bad descriptor.
 */
function hasBatches(libc: Libc): boolean {
  const received = libc.recvmmsg(-1, 0, 0, 0, 0) < 0 && libc.errno() === LINUX.EBADF
  const sent = libc.sendmmsg(-1, 0, 0, 0) < 0 && libc.errno() === LINUX.EBADF
  return received && sent
}

/** The name of the last call's error: EADDRINUSE and the like. */
export const errorCode = (libc: Libc): string => getSystemErrorName(-libc.errno())

/**
 * Moves a descriptor to a number that node closes when this thread ends, terminated or not: otherwise the
 * socket of a lost thread would stay in its SO_REUSEPORT group and swallow queries. To be closed by
 * `closeSync`. Gives the new number, or the code of an error; the old one is closed either way.
 */
export function adoptFd(libc: Libc, fd: number): number | string {
  const owned = duplicateFd(libc, fd)
  libc.close(fd)
  return owned
}

/** Another descriptor for the same socket, which node closes when this thread ends; or the code of an error. */
export function duplicateFd(libc: Libc, fd: number): number | string {
  try {
    const owned = openSync('/dev/null', 'r')
    if (libc.dup3(fd, owned, LINUX.SOCK_CLOEXEC) >= 0) return owned
    const code = errorCode(libc)
    closeSync(owned)
    return code
  } catch (error) {
    return codeOf(error)
  }
}
