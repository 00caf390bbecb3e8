// Access by a kubeconfig file through KubeConfig of @kubernetes/client-node: contexts, client certificates, exec
// plugins, token files, OIDC, proxies. The file is read again when it changes and after a 401.
//
// The package's config module imports the whole generated API (62 MiB of resident memory) and undici for two functions
// that we never call. While it is being imported, those imports are answered with empty classes: 24 MiB instead of 86.

import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { registerHooks } from 'node:module'
import { dirname, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { parse } from 'yaml'
import { type ApiAccess, type ApiCredentials, type ApiTls, parseServer } from './access.ts'
import { ApiError, isRecord, messageOf } from './api-error.ts'

type KubeConfigClass = new () => KubeConfig

/** What config.js imports only to build API clients and undici dispatchers, which we do not use. */
const UNUSED_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
  './middleware.js': ['setHeaderMiddleware'],
  undici: ['Agent', 'ProxyAgent'],
}

let loaded: Promise<KubeConfigClass> | undefined

function loadKubeConfig(): Promise<KubeConfigClass> {
  loaded ??= importKubeConfig()
  return loaded
}

async function importKubeConfig(): Promise<KubeConfigClass> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const importer = context.parentURL ?? ''
      const names = importer.endsWith('/client-node/dist/config.js') ? UNUSED_IMPORTS[specifier] : undefined
      if (!names) return next(specifier, context)
      const source = names.map(name => `export class ${name} {}`).join('\n')
      return { url: `data:text/javascript,${encodeURIComponent(source)}`, shortCircuit: true }
    },
  })
  try {
    const module: { KubeConfig: KubeConfigClass } = await import('@kubernetes/client-node/dist/config.js')
    return module.KubeConfig
  } finally {
    hooks.deregister()
  }
}

/**
 * Access by FILE and optionally CONTEXT (else the file's current-context).
 * Rejects with an ApiError `credentials` if the file cannot be read or lacks the context or its cluster.
 */
export async function kubeconfigAccess(file: string, context?: string): Promise<ApiAccess> {
  const Config = await loadKubeConfig()
  let text = ''
  let config: KubeConfig | undefined

  async function current(): Promise<KubeConfig> {
    let now: string
    try {
      now = await readFile(file, 'utf8')
    } catch (cause) {
      if (config) return config
      throw new ApiError('credentials', `reading kubeconfig ${file}: ${messageOf(cause)}`, { cause })
    }
    if (config && now === text) return config
    const fresh = load(new Config(), file, now, context)
    text = now
    config = fresh
    return fresh
  }

  await current()
  return {
    name: `kubeconfig ${file}`,
    async credentials() {
      const now = await current()
      try {
        return await credentialsOf(now)
      } catch (cause) {
        if (cause instanceof ApiError) throw cause
        throw new ApiError('credentials', `using kubeconfig ${file}: ${messageOf(cause)}`, { cause })
      }
    },
    refresh() {
      // A new KubeConfig runs the exec plugin again and reads token files again.
      config = undefined
    },
  }
}

function load(config: KubeConfig, file: string, text: string, context?: string): KubeConfig {
  try {
    config.loadFromString(text)
    config.makePathsAbsolute(dirname(file))
    addTokenFiles(config, text, dirname(file))
  } catch (cause) {
    throw new ApiError('credentials', `reading kubeconfig ${file}: ${messageOf(cause)}`, { cause })
  }
  if (context !== undefined) config.setCurrentContext(context)
  const name = config.getCurrentContext()
  if (!config.getContextObject(name)) {
    const known = config.getContexts().map(one => one.name)
    throw new ApiError(
      'credentials',
      `reading kubeconfig ${file}: no context "${name ?? ''}"; the file has: ${known.join(', ') || 'none'}`,
    )
  }
  const cluster = config.getCurrentCluster()
  if (!cluster)
    throw new ApiError('credentials', `reading kubeconfig ${file}: context "${name}" has no cluster`)
  parseServer(cluster.server)
  return config
}

/** `tokenFile` of a user, which kubectl knows and KubeConfig does not, becomes its token-file provider. */
function addTokenFiles(config: KubeConfig, text: string, folder: string): void {
  const raw: unknown = parse(text)
  if (!isRecord(raw) || !Array.isArray(raw.users)) return
  for (const entry of raw.users) {
    if (!isRecord(entry) || !isRecord(entry.user) || typeof entry.user.tokenFile !== 'string') continue
    const tokenFile = resolve(folder, entry.user.tokenFile)
    config.users = config.users.map(user =>
      user.name === entry.name
        ? { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } }
        : user,
    )
  }
}

async function credentialsOf(config: KubeConfig): Promise<ApiCredentials> {
  const cluster = config.getCurrentCluster()
  if (!cluster) throw new ApiError('credentials', 'using a kubeconfig: the context has no cluster')
  const server = parseServer(cluster.server)
  const user = config.getCurrentUser() ?? { name: 'anonymous' }
  const options: RequestOptions = { headers: {} }
  const plain = server.protocol === 'http:'
  // KubeConfig refuses plain HTTP unless told to skip a check that plain HTTP has not.
  const target = plain && !cluster.skipTLSVerify ? { ...cluster, skipTLSVerify: true } : cluster
  if (target !== cluster || !config.getCurrentUser()) config.loadFromClusterAndUser(target, user)
  await config.applyToHTTPSOptions(options)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {}))
    headers[name.toLowerCase()] = String(value).trim()
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`
  const agent = cluster.proxyUrl && typeof options.agent === 'object' ? options.agent : undefined
  return { server, tls: plain ? {} : tlsOf(options), headers, ...(agent && { agent }) }
}

function tlsOf(options: RequestOptions): ApiTls {
  const pem = (value: unknown): string | undefined =>
    typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined
  const ca = pem(options.ca)
  const cert = pem(options.cert)
  const key = pem(options.key)
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(options.servername && { servername: options.servername }),
    ...(options.rejectUnauthorized === false && { rejectUnauthorized: false }),
  }
}
