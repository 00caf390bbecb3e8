// `auth-provider` of a kubeconfig (OIDC, and what clouds had before exec plugins) through KubeConfig of @kubernetes/client-node,
// which refreshes its tokens. Everything else of a kubeconfig is read by ourselves, as kubectl reads it.
//
// The package's config module imports the whole generated API (62 MiB of resident memory) and undici for two functions
// that we never call. While it is being imported, those imports are answered with empty classes: 24 MiB instead of 86.

import type { RequestOptions } from 'node:https'
import { registerHooks } from 'node:module'
import type { KubeConfig, User } from '@kubernetes/client-node'

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

/** Gives the Authorization header of a user's `auth-provider`, undefined where it has none; rejects with its own errors. */
export async function authProvider(
  name: string,
  provider: unknown,
): Promise<() => Promise<string | undefined>> {
  const Config = await loadKubeConfig()
  const config = new Config()
  config.loadFromClusterAndUser(
    { name: '', server: 'https://localhost', skipTLSVerify: false },
    { name, authProvider: provider as User['authProvider'] },
  )
  let asked: Promise<string | undefined> | undefined
  const ask = async (): Promise<string | undefined> => {
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    const header: unknown = new Map(Object.entries(options.headers ?? {})).get('Authorization')
    return typeof header === 'string' ? header.trim() : undefined
  }
  // Once for all who wait: a refresh token may be good for one use only.
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined
    })
    return asked
  }
}
