// Where a server listens for the commands of its operator, and where a command finds it: a Unix socket in a folder that only
// its user can enter. In a Pod that is memory which all its containers have and no image needs to offer.
//
//   $XDG_RUNTIME_DIR/seamark-1000/4711.sock, or where there is no such folder:
//   /dev/shm/seamark-65532/1.sock      by user and process

import { accessSync, constants, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where to connect or to listen. */
export type AdminAddress = { readonly path: string } | { readonly host: string; readonly port: number }

const MEMORY = '/dev/shm'

/** The folder of this user; undefined where the system has no users. */
export function adminFolder(): string | undefined {
  const uid = process.getuid?.()
  return uid === undefined ? undefined : join(base(), `seamark-${uid}`)
}

function base(): string {
  const { XDG_RUNTIME_DIR } = process.env
  if (XDG_RUNTIME_DIR) return XDG_RUNTIME_DIR
  try {
    accessSync(MEMORY, constants.W_OK | constants.X_OK)
    return MEMORY
  } catch {
    return tmpdir()
  }
}

/** The socket of this process, in its folder, which is made; what is wrong where another user may have made it. */
export function ownAdminSocket(): AdminAddress | string {
  const folder = adminFolder()
  if (folder === undefined) return 'this system has no Unix sockets'
  try {
    mkdirSync(folder, { mode: 0o700, recursive: true })
    const { uid, mode } = lstatSync(folder)
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0 || (mode & constants.S_IFMT) !== constants.S_IFDIR)
      return `${folder} is not a folder of this user alone`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return { path: join(folder, `${process.pid}.sock`) }
}

/** The sockets of this user's servers, whether they live or not. */
export function adminSockets(): readonly string[] {
  const folder = adminFolder()
  try {
    return folder === undefined
      ? []
      : readdirSync(folder)
          .filter(name => name.endsWith('.sock'))
          .map(name => join(folder, name))
  } catch {
    return []
  }
}

/** Whether a process listens at the path. */
export function isListening(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** `HOST:PORT`, `[IPv6]:PORT`, or a path; undefined for anything else. */
export function parseAdminAddress(text: string): AdminAddress | undefined {
  const path = /^(?:unix:)?(\/.+)$/.exec(text)?.[1]
  if (path !== undefined) return { path }
  const [, bracketed, plain, portText] = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(portText)
  if (portText === undefined || port < 1 || port > 65535) return undefined
  return { host: bracketed ?? plain ?? '', port }
}

export const adminAddressText = (address: AdminAddress): string =>
  'path' in address
    ? address.path
    : address.host.includes(':')
      ? `[${address.host}]:${address.port}`
      : `${address.host}:${address.port}`
