// What a kubeconfig file says of one context, as client-go reads and judges it (k8s.io/client-go/tools/clientcmd): names of files
// relative to the file's folder, and what kubectl refuses refused in words. How credentials are made of it is kubeconfig.ts's
// business.

import { isAbsolute, join } from 'node:path'
import { lazy } from '../shared/lazy.ts'
import { parseServer } from './access.ts'
import { ApiError, isRecord, messageOf } from './api-error.ts'
import { checkedProxy } from './proxy-env.ts'

/** The cluster of a context. */
export interface KubeCluster {
  readonly name: string
  readonly server: string
  readonly tlsServerName: string | undefined
  readonly skipTlsVerify: boolean
  readonly ca: Pem | undefined
  readonly proxy: URL | undefined
  readonly disableCompression: boolean
  /** What the cluster has for exec plugins: its extension client.authentication.k8s.io/exec. */
  readonly execConfig: unknown
}

/** PEM, in the file or in one beside it. */
export type Pem = { readonly data: string } | { readonly file: string }

/** The user of a context; one without any of it is anonymous. */
export interface KubeUser {
  readonly name: string
  readonly token: string | undefined
  readonly tokenFile: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly cert: Pem | undefined
  readonly key: Pem | undefined
  readonly impersonate: Impersonation | undefined
  readonly exec: ExecConfig | undefined
  /** `auth-provider`, as it is. */
  readonly authProvider: unknown
}

/** In whose name to ask (`as`, `as-uid`, `as-groups`, `as-user-extra`). */
export interface Impersonation {
  readonly user: string
  readonly uid: string | undefined
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** A program that gives credentials. */
export interface ExecConfig {
  readonly apiVersion: string
  /** A name to look for in PATH, or an absolute path. */
  readonly command: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly provideClusterInfo: boolean
  readonly interactiveMode: string
  readonly installHint: string
}

/** A context with what it names. */
export interface KubeContext {
  readonly cluster: KubeCluster
  readonly user: KubeUser
}

const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']
const EXEC_EXTENSION = 'client.authentication.k8s.io/exec'
const INTERACTIVE_MODES = ['Never', 'IfAvailable', 'Always']

/** Something that client-go would refuse; what is wrong in words. */
class Refusal extends Error {}

/**
 * Reads the context of that name, or the current one, out of the text of a kubeconfig in `folder`. Throws an ApiError
 * `credentials` that names the file for one that cannot be used.
 */
export function readKubeconfig(text: string, file: string, folder: string, context?: string): KubeContext {
  try {
    return readContext(text, folder, context)
  } catch (cause) {
    if (cause instanceof ApiError) throw cause
    throw new ApiError('credentials', `reading kubeconfig ${file}: ${messageOf(cause)}`, { cause })
  }
}

function readContext(text: string, folder: string, wanted: string | undefined): KubeContext {
  const config = parseYaml(text)
  if (!isRecord(config)) throw new Refusal('it is no kubeconfig')
  const contexts = named(config, 'contexts', 'context')
  const name = wanted ?? textOf(config, 'current-context', 'the file') ?? ''
  const context = contexts.get(name)
  if (!context) {
    const known = [...contexts.keys()].join(', ') || 'none'
    throw new Refusal(`no context "${name}"; the file has: ${known}`)
  }
  const clusterName = textOf(context, 'cluster', `context "${name}"`) ?? ''
  const cluster = named(config, 'clusters', 'cluster').get(clusterName)
  if (!cluster) throw new Refusal(`context "${name}" has no cluster`)
  const userName = textOf(context, 'user', `context "${name}"`) ?? ''
  const user = named(config, 'users', 'user').get(userName) ?? {}
  const path = (relative: string): string => (isAbsolute(relative) ? relative : join(folder, relative))
  return { cluster: readCluster(clusterName, cluster, path), user: readUser(userName, user, path) }
}

/** What is wrong and where, without a word of the file, which may be one of a token. */
function parseYaml(text: string): unknown {
  try {
    return lazy.yaml.parse(text, { logLevel: 'error' }) as unknown
  } catch (cause) {
    if (!(cause instanceof lazy.yaml.YAMLParseError)) throw new Refusal('it is no YAML')
    const { code, linePos: [start] = [] } = cause
    const place = start === undefined ? '' : ` at line ${start.line}, column ${start.col}`
    throw new Refusal(`it is no YAML${place}: ${code.toLowerCase().replaceAll('_', ' ')}`)
  }
}

type Fields = Readonly<Record<string, unknown>>
type Resolve = (relative: string) => string

/** A list of `{name, KEY: {…}}` by name, the first of a name. */
function named(config: Fields, list: string, key: string): Map<string, Fields> {
  const entries: unknown = config[list] ?? []
  if (!Array.isArray(entries)) throw new Refusal(`${list} is no list`)
  const found = new Map<string, Fields>()
  for (const [i, entry] of entries.entries()) {
    const name = isRecord(entry) ? textOf(entry, 'name', `${list}[${i}]`) : undefined
    if (!isRecord(entry) || name === undefined) throw new Refusal(`${list}[${i}] has no name`)
    const fields = entry[key] ?? {}
    if (!isRecord(fields)) throw new Refusal(`${key} "${name}" is no object`)
    if (!found.has(name)) found.set(name, fields)
  }
  return found
}

function readCluster(name: string, fields: Fields, path: Resolve): KubeCluster {
  const what = `cluster "${name}"`
  const server = textOf(fields, 'server', what)
  if (server === undefined) throw new Refusal(`no server found for ${what}`)
  const proxyUrl = textOf(fields, 'proxy-url', what)
  const proxy = proxyUrl === undefined ? undefined : URL.parse(proxyUrl)
  if (proxy === null) throw new Refusal(`the proxy-url of ${what} is no URL`)
  parseServer(server)
  return {
    name,
    server: server.replace(/\/$/, ''),
    tlsServerName: textOf(fields, 'tls-server-name', what),
    skipTlsVerify: fields['insecure-skip-tls-verify'] === true,
    ca: pemOf(fields, 'certificate-authority', what, path),
    proxy: proxy && checkedProxy(proxy, `the proxy-url of ${what}`),
    disableCompression: fields['disable-compression'] === true,
    execConfig: listOf(fields, 'extensions', what)
      .filter(isRecord)
      .find(each => each.name === EXEC_EXTENSION)?.extension,
  }
}

function readUser(name: string, fields: Fields, path: Resolve): KubeUser {
  const what = `user "${name}"`
  const text = (key: string): string | undefined => textOf(fields, key, what)
  const tokenFile = text('tokenFile')
  const user: KubeUser = {
    name,
    token: text('token'),
    tokenFile: tokenFile && path(tokenFile),
    username: text('username'),
    password: text('password'),
    cert: pemOf(fields, 'client-certificate', what, path),
    key: pemOf(fields, 'client-key', what, path),
    impersonate: impersonationOf(fields, what),
    exec: execOf(fields, what, path),
    authProvider: fields['auth-provider'] ?? undefined,
  }
  if (user.token && (user.username || user.password))
    throw new Refusal(
      `more than one way to authenticate for ${what}: token and basicAuth; only one is allowed`,
    )
  if (user.cert && !user.key) throw new Refusal(`client-key-data or client-key must be specified for ${what}`)
  if (user.exec && user.authProvider)
    throw new Refusal(`auth-provider and exec cannot be combined for ${what}`)
  return user
}

function impersonationOf(fields: Fields, what: string): Impersonation | undefined {
  const user = textOf(fields, 'as', what)
  const uid = textOf(fields, 'as-uid', what)
  const groups = textsOf(fields, 'as-groups', what)
  const given = fields['as-user-extra'] ?? {}
  if (!isRecord(given)) throw new Refusal(`as-user-extra of ${what} is no object`)
  const extra = Object.fromEntries(Object.keys(given).map(key => [key, textsOf(given, key, what)]))
  if (user !== undefined) return { user, uid, groups, extra }
  if (uid !== undefined || groups.length > 0 || Object.keys(extra).length > 0)
    throw new Refusal(`requesting uid, groups or user-extra for ${what} without impersonating a user`)
  return undefined
}

function execOf(fields: Fields, what: string, path: Resolve): ExecConfig | undefined {
  const exec = fields.exec ?? undefined
  if (exec === undefined) return undefined
  if (!isRecord(exec)) throw new Refusal(`exec of ${what} is no object`)
  const where = `exec of ${what}`
  const command = textOf(exec, 'command', where)
  const apiVersion = textOf(exec, 'apiVersion', where)
  if (command === undefined) throw new Refusal(`command must be specified for ${where}`)
  if (apiVersion === undefined) throw new Refusal(`apiVersion must be specified for ${where}`)
  if (!EXEC_VERSIONS.includes(apiVersion))
    throw new Refusal(`${where}: invalid apiVersion "${apiVersion}"; allowed are ${EXEC_VERSIONS.join(', ')}`)
  const interactiveMode = textOf(exec, 'interactiveMode', where) ?? 'IfAvailable'
  if (!INTERACTIVE_MODES.includes(interactiveMode))
    throw new Refusal(`${where}: invalid interactiveMode "${interactiveMode}"`)
  const env = listOf(exec, 'env', where).map(variable => {
    const name = isRecord(variable) ? textOf(variable, 'name', where) : undefined
    if (!isRecord(variable) || name === undefined)
      throw new Refusal(`${where}: a variable of env has no name`)
    return { name, value: textOf(variable, 'value', where) ?? '' }
  })
  return {
    apiVersion,
    // One without a slash is looked for in PATH.
    command: command.includes('/') ? path(command) : command,
    args: textsOf(exec, 'args', where),
    env,
    provideClusterInfo: exec.provideClusterInfo === true,
    interactiveMode,
    installHint: textOf(exec, 'installHint', where) ?? '',
  }
}

/** KEY-data in base64, else the file KEY; the data wins, as in client-go. */
function pemOf(fields: Fields, key: string, what: string, path: Resolve): Pem | undefined {
  const data = textOf(fields, `${key}-data`, what)
  if (data !== undefined) return { data: Buffer.from(data, 'base64').toString() }
  const file = textOf(fields, key, what)
  return file === undefined ? undefined : { file: path(file) }
}

/** A string; undefined for none and an empty one. */
function textOf(fields: Fields, key: string, what: string): string | undefined {
  const value = fields[key] ?? ''
  if (typeof value !== 'string') throw new Refusal(`${key} of ${what} is no string`)
  return value === '' ? undefined : value
}

function listOf(fields: Fields, key: string, what: string): readonly unknown[] {
  const value = fields[key] ?? []
  if (!Array.isArray(value)) throw new Refusal(`${key} of ${what} is no list`)
  return value
}

function textsOf(fields: Fields, key: string, what: string): string[] {
  return listOf(fields, key, what).map(value => {
    if (typeof value !== 'string') throw new Refusal(`${key} of ${what} holds what is no string`)
    return value
  })
}
