// Access by a kubeconfig file, with the precedence of client-go: a token file, whose token stands in while it cannot be read, or
// user and password; else what an exec plugin or an auth-provider gives, the former not beside a client certificate; and in
// whose name. Over plain HTTP nobody is told who asks. The file is read again for every request.

import { dirname, resolve } from 'node:path'
import type { Clock } from '../shared/clock.ts'
import { type ApiAccess, type ApiCredentials, CredentialFile, parseServer, readText } from './access.ts'
import { ApiError, messageOf } from './api-error.ts'
import { ExecPlugin, type RunProgram } from './exec-plugin.ts'
import type { Impersonation, KubeCluster, KubeContext, KubeUser, Pem } from './kubeconfig-file.ts'
import { readKubeconfig } from './kubeconfig-file.ts'
import { type Env, proxyFromEnvironment } from './proxy-env.ts'

/** What access by a kubeconfig needs of the process; replaced in tests. */
export interface KubeconfigOptions {
  readonly clock: Clock
  readonly env?: Env
  readonly run?: RunProgram
}

type Header = string | readonly string[]

/**
 * Access by FILE and optionally CONTEXT (else the file's current-context).
 * Rejects with an ApiError `credentials` if the file cannot be read or kubectl would refuse it.
 */
export async function kubeconfigAccess(
  file: string,
  context: string | undefined,
  options: KubeconfigOptions,
): Promise<ApiAccess> {
  const folder = resolve(dirname(file))
  let text: string | undefined
  let user: ContextUser | undefined

  async function current(): Promise<ContextUser> {
    let now: string
    try {
      now = await readText(file)
    } catch (cause) {
      if (user) return user
      throw new ApiError('credentials', `reading kubeconfig ${file}: ${messageOf(cause)}`, { cause })
    }
    if (user && now === text) return user
    user = new ContextUser(readKubeconfig(now, file, folder, context), options, user)
    text = now
    return user
  }

  await current()
  return {
    name: `kubeconfig ${file}`,
    async credentials() {
      const now = await current()
      try {
        return await now.credentials()
      } catch (cause) {
        throw new ApiError('credentials', `using kubeconfig ${file}: ${messageOf(cause)}`, { cause })
      }
    },
    refresh: refused => user?.refuse(refused),
  }
}

/** The files and programs of one context. */
class ContextUser {
  readonly #context: KubeContext
  readonly #options: KubeconfigOptions
  readonly #files = new Map<string, CredentialFile>()
  /** What the plugin is made of, as text, so that a file that changes elsewhere keeps it with what it gave. */
  readonly #execKey: string
  readonly #exec: ExecPlugin | undefined
  readonly #server: URL
  #provider: Promise<() => Promise<string | undefined>> | undefined

  constructor(context: KubeContext, options: KubeconfigOptions, before?: ContextUser) {
    const { cluster, user } = context
    this.#context = context
    this.#options = options
    this.#server = parseServer(cluster.server)
    this.#execKey = JSON.stringify([cluster, user.exec])
    const { exec } = user
    if (exec && before && before.#execKey === this.#execKey) this.#exec = before.#exec
    else if (exec) {
      const { clock, env = process.env, run } = options
      const info = (): Promise<object> => this.#execCluster(cluster)
      this.#exec = new ExecPlugin({ config: exec, cluster: info, clock, env, ...(run && { run }) })
    }
  }

  async credentials(): Promise<ApiCredentials> {
    const { cluster, user } = this.#context
    const { env = process.env } = this.#options
    const server = this.#server
    const proxy = cluster.proxy ?? proxyFromEnvironment(server, env)
    const headers: Record<string, Header> = user.impersonate ? impersonationHeaders(user.impersonate) : {}
    if (server.protocol === 'http:') return { server, tls: {}, headers, proxy }
    const [ca, cert, key] = await Promise.all([
      this.#pem('the CA', cluster.ca),
      this.#pem('the client certificate', user.cert),
      this.#pem('the client key', user.key),
    ])
    const given = await this.#given(user, cert !== undefined)
    return {
      server,
      tls: {
        ...(ca !== undefined && { ca }),
        ...((cert ?? given.cert) && { cert: cert ?? given.cert }),
        ...((key ?? given.key) && { key: key ?? given.key }),
        ...(cluster.tlsServerName && { servername: cluster.tlsServerName }),
        ...(cluster.skipTlsVerify && { rejectUnauthorized: false }),
      },
      headers: { ...headers, ...(given.authorization && { authorization: given.authorization }) },
      proxy,
    }
  }

  /** After a 401 to these credentials. */
  refuse({ headers, tls }: ApiCredentials): void {
    const { authorization } = headers
    const token = typeof authorization === 'string' ? authorization.replace(/^Bearer /, '') : undefined
    this.#exec?.refuse({ token, cert: tls.cert, key: tls.key })
    this.#provider = undefined
  }

  async #given(
    user: KubeUser,
    certified: boolean,
  ): Promise<{ readonly authorization?: string; readonly cert?: string; readonly key?: string }> {
    const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token.trim()}` })
    if (user.tokenFile !== undefined) {
      const read = this.#text('the token', user.tokenFile)
      return bearer(user.token === undefined ? await read : await read.catch(() => user.token ?? ''))
    }
    if (user.token !== undefined) return bearer(user.token)
    if (user.username !== undefined || user.password !== undefined) {
      const pair = `${user.username ?? ''}:${user.password ?? ''}`
      return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
    }
    if (this.#exec && !certified) {
      const { token, cert, key } = await this.#exec.credentials()
      return { ...(token && bearer(token)), ...(cert && { cert }), ...(key && { key }) }
    }
    if (user.authProvider === undefined) return {}
    this.#provider ??= import('./auth-provider.ts').then(({ authProvider }) =>
      authProvider(user.name, user.authProvider),
    )
    const authorization = await (await this.#provider)()
    return authorization === undefined ? {} : { authorization }
  }

  /** What an exec plugin with provideClusterInfo is told (client.authentication.k8s.io Cluster). */
  async #execCluster(cluster: KubeCluster): Promise<object> {
    const ca = await this.#pem('the CA', cluster.ca)
    return {
      server: cluster.server,
      ...(cluster.tlsServerName && { 'tls-server-name': cluster.tlsServerName }),
      ...(cluster.skipTlsVerify && { 'insecure-skip-tls-verify': true }),
      ...(ca !== undefined && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
      ...(cluster.proxy && { 'proxy-url': cluster.proxy.href }),
      ...(cluster.disableCompression && { 'disable-compression': true }),
      config: cluster.execConfig ?? null,
    }
  }

  async #pem(purpose: string, pem: Pem | undefined): Promise<string | undefined> {
    if (pem === undefined) return undefined
    return 'data' in pem ? pem.data : this.#text(purpose, pem.file)
  }

  #text(purpose: string, file: string): Promise<string> {
    let known = this.#files.get(file)
    if (!known) {
      known = new CredentialFile(purpose, file, readText)
      this.#files.set(file, known)
    }
    return known.text()
  }
}

/** As client-go's impersonating round tripper writes them. */
function impersonationHeaders({ user, uid, groups, extra }: Impersonation): Record<string, Header> {
  const headers: Record<string, Header> = { 'impersonate-user': user }
  if (uid !== undefined) headers['impersonate-uid'] = uid
  if (groups.length > 0) headers['impersonate-group'] = groups
  for (const [key, values] of Object.entries(extra)) headers[`impersonate-extra-${escapeKey(key)}`] = values
  return headers
}

/** What no header's name may hold becomes %XX, and so does %. */
const escapeKey = (key: string): string =>
  Array.from(Buffer.from(key), octet => {
    const character = String.fromCharCode(octet)
    if (/[!#$&'*+\-.^_`|~0-9A-Za-z]/.test(character)) return character
    return `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
