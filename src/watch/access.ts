// How to reach the API server and who we are there. Three forms, as in CoreDNS's `kubernetes` block:
//
//   (nothing)                 in-cluster: KUBERNETES_SERVICE_HOST/PORT, token and CA of the ServiceAccount
//   endpoint URL [tls …]      a URL, plain HTTP too, with a client certificate, key and CA from files
//   kubeconfig FILE [CONTEXT] see kubeconfig.ts
//
// Files are read again for every request: requests are rare (a watch lasts minutes), and so a rotated token,
// certificate or CA is in use with the next attempt. A file that cannot be read for a moment (a volume being swapped)
// leaves the last contents in use.

import { familyOf } from '../shared/ip.ts'
import { readRegularSoon, SETTINGS_MAX_OCTETS } from '../shared/regular-file.ts'
import { ApiError, messageOf } from './api-error.ts'
import { type Env, proxyFromEnvironment } from './proxy-env.ts'

/** Where the configuration says that the API server is. */
export type ApiLocation =
  | { readonly from: 'in-cluster' }
  | { readonly from: 'kubeconfig'; readonly file: string; readonly context?: string }
  | {
      readonly from: 'endpoint'
      /** http or https; without a scheme https if `tls` is given, otherwise http, as client-go has it. */
      readonly url: string
      /** The three files of `tls CERT KEY CA`; '' leaves one out. */
      readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string }
    }

/** The part of TLS options that an agent is built from; a change of any of them means a new agent. */
export interface ApiTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** All that one request needs. */
export interface ApiCredentials {
  /** Scheme, host, port and a path prefix without a final slash. */
  readonly server: URL
  readonly tls: ApiTls
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The proxy on the way: of the environment (proxy-env.ts) or the kubeconfig. */
  readonly proxy?: URL | undefined
}

/** A way to the API server whose credentials may change while the process runs. */
export interface ApiAccess {
  /** For logs: "in-cluster", "kubeconfig FILE", "endpoint URL". */
  readonly name: string
  /** The credentials as they are now; rejects with an ApiError `credentials`. */
  credentials(): Promise<ApiCredentials>
  /** Forgets what is cached, after a 401 to these credentials. */
  refresh(refused: ApiCredentials): void
}

/** Reads a file's text; replaced in tests. */
export type ReadText = (file: string) => Promise<string>

export const readText: ReadText = file => readRegularSoon(file, SETTINGS_MAX_OCTETS)

/** Where the kubelet mounts the ServiceAccount of a Pod. */
const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/** A file that is read each time anew, its last contents standing in while it cannot be read. */
export class CredentialFile {
  readonly #file: string
  readonly #purpose: string
  readonly #read: ReadText
  #last: string | undefined

  constructor(purpose: string, file: string, read: ReadText) {
    this.#purpose = purpose
    this.#file = file
    this.#read = read
  }

  async text(): Promise<string> {
    try {
      const text = await this.#read(this.#file)
      if (text.trim() !== '') this.#last = text
    } catch (cause) {
      if (this.#last === undefined) {
        throw new ApiError('credentials', `reading ${this.#purpose}: ${messageOf(cause)}`, { cause })
      }
    }
    if (this.#last === undefined) {
      throw new ApiError('credentials', `reading ${this.#purpose} ${this.#file}: the file is empty`)
    }
    return this.#last
  }
}

/**
 * Access from inside a Pod, as client-go's `InClusterConfig`: always HTTPS.
 * Throws an ApiError `credentials` outside a cluster, where the two variables are missing.
 */
export function inClusterAccess(
  env: Env = process.env,
  folder = SERVICE_ACCOUNT_FOLDER,
  read: ReadText = readText,
): ApiAccess {
  const host = env.KUBERNETES_SERVICE_HOST
  const port = env.KUBERNETES_SERVICE_PORT
  if (!host || !port) {
    throw new ApiError(
      'credentials',
      'finding the API server: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; ' +
        'outside a cluster use `endpoint` or `kubeconfig`',
    )
  }
  const server = parseServer(`https://${familyOf(host) === 6 ? `[${host}]` : host}:${port}`)
  const token = new CredentialFile('the ServiceAccount token', `${folder}/token`, read)
  const ca = new CredentialFile('the ServiceAccount CA', `${folder}/ca.crt`, read)
  return {
    name: 'in-cluster',
    async credentials() {
      const [tokenText, caText] = await Promise.all([token.text(), ca.text()])
      return {
        server,
        tls: { ca: caText },
        headers: { authorization: `Bearer ${tokenText.trim()}` },
        proxy: proxyFromEnvironment(server, env),
      }
    },
    refresh() {},
  }
}

/**
 * Access to a URL, with the files of `tls CERT KEY CA` if given.
 * Throws an ApiError `credentials` for something that is no http or https URL.
 */
export function endpointAccess(
  location: Extract<ApiLocation, { from: 'endpoint' }>,
  read: ReadText = readText,
  env: Env = process.env,
): ApiAccess {
  const { url, tls } = location
  const server = parseServer(url.includes('://') ? url : `${tls ? 'https' : 'http'}://${url}`)
  const file = (purpose: string, name: string | undefined): CredentialFile | undefined =>
    name ? new CredentialFile(purpose, name, read) : undefined
  const cert = file('the client certificate', tls?.certFile)
  const key = file('the client key', tls?.keyFile)
  const ca = file('the CA', tls?.caFile)
  return {
    name: `endpoint ${url}`,
    async credentials() {
      return {
        server,
        tls: {
          ...(ca && { ca: await ca.text() }),
          ...(cert && { cert: await cert.text() }),
          ...(key && { key: await key.text() }),
        },
        headers: {},
        proxy: proxyFromEnvironment(server, env),
      }
    },
    refresh() {},
  }
}

/** Reads a server's URL; throws an ApiError `credentials` if it is not http or https. */
export function parseServer(text: string): URL {
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ApiError('credentials', `finding the API server: "${text}" is not an http or https URL`)
  }
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}
