// Where a cluster's objects come from: the API server or a folder of manifests, as the `kubernetes` directive says.

import type { ObjectSource } from '../objects/source.ts'
import type { ProcessLog } from '../observe/log.ts'
import type { Meters } from '../observe/meters.ts'
import type { KubernetesConfig, SourceConfig } from '../plugin/kubernetes/config.ts'
import { systemClock } from '../shared/clock.ts'
import type { Cluster } from '../table/cluster.ts'
import type { ApiLocation } from '../watch/access.ts'
import { messageOf } from '../watch/api-error.ts'
import { ApiClient } from '../watch/client.ts'
import { openAccess } from '../watch/open-access.ts'
import { ApiSource } from '../watch/source.ts'

const LOG_FROM = 'plugin/kubernetes'

/** What a source writes to and counts with. */
export interface SourceOptions {
  readonly log: ProcessLog
  readonly meters: Meters
  /** Told of a right that is missing, and what to add. */
  readonly forbidden?: (text: string) => void
}

/**
 * The source of a directive's objects, not started yet; the text of an error where it can never work. `troubled` is called
 * when the API server is seen to be away or to refuse.
 */
export async function makeSource(
  config: KubernetesConfig,
  cluster: Cluster,
  options: SourceOptions,
  troubled: () => void,
): Promise<ObjectSource | string> {
  const { source } = config
  return source.kind === 'manifests'
    ? manifestSource(source, config, cluster, options)
    : apiSource(config, cluster, options, troubled)
}

const LEVELS = { error: 'ERROR', warning: 'WARNING', info: 'INFO' } as const

/** Its code is loaded where there is a folder only. */
async function manifestSource(
  { directory, namespace }: Extract<SourceConfig, { kind: 'manifests' }>,
  config: KubernetesConfig,
  cluster: Cluster,
  { log }: SourceOptions,
): Promise<ObjectSource> {
  const [{ describeChange }, { ManifestSource }] = await Promise.all([
    import('../manifest/describe.ts'),
    import('../manifest/source.ts'),
  ])
  const zone = config.primaryZone.replace(/\.$/, '')
  return new ManifestSource({
    directory,
    namespace,
    sink: cluster,
    report: problem => {
      const place = `${problem.file}:${problem.line}:${problem.column}`
      log.write(LEVELS[problem.severity], LOG_FROM, `${place}: ${problem.message}`)
    },
    options: config,
    changed: (before, after) => {
      // The first state is told as a whole, when the server starts.
      if (!cluster.published) return
      for (const line of describeChange(before, after, zone)) log.write('INFO', LOG_FROM, line)
    },
  })
}

async function apiSource(
  config: KubernetesConfig,
  cluster: Cluster,
  { log, meters, forbidden }: SourceOptions,
  troubled: () => void,
): Promise<ObjectSource | string> {
  const access = await openAccess(apiLocation(config), systemClock).catch(describe)
  if (typeof access === 'string') return `plugin/kubernetes: ${access}`
  const client = new ApiClient({
    access,
    clock: systemClock,
    onRequest: ({ method, host, code, durationSeconds }) => {
      meters.counter('coredns_kubernetes_rest_client_requests_total', { code, method, host }).add()
      meters
        .histogram('coredns_kubernetes_rest_client_request_duration_seconds', { verb: method, host })
        .observe(durationSeconds)
      // Nobody limits the requests: there are too few of them.
      meters
        .histogram('coredns_kubernetes_rest_client_rate_limiter_duration_seconds', { verb: method, host })
        .observe(0)
    },
  })
  return new ApiSource({
    ...config,
    client,
    sink: cluster,
    clock: systemClock,
    random: Math.random,
    hooks: {
      ...(forbidden && { forbidden }),
      log: (level, message) => {
        if (level !== 'info') troubled()
        log.write(level === 'info' ? 'INFO' : level === 'warning' ? 'WARNING' : 'ERROR', LOG_FROM, message)
      },
    },
  })
}

function apiLocation({ source }: KubernetesConfig): ApiLocation {
  if (source.kind === 'manifests') throw new RangeError('a folder has no API server')
  if (source.kubeconfig !== undefined) {
    return {
      from: 'kubeconfig',
      file: source.kubeconfig,
      ...(source.context === undefined ? {} : { context: source.context }),
    }
  }
  if (source.endpoint === undefined) return { from: 'in-cluster' }
  const { tls } = source
  return {
    from: 'endpoint',
    url: source.endpoint,
    ...(tls ? { tls: { certFile: tls.cert, keyFile: tls.key, caFile: tls.ca } } : {}),
  }
}

/** An error with its causes, as one line; what a message says of its cause is not said again. */
function describe(error: unknown): string {
  if (!(error instanceof Error) || error.cause === undefined) return messageOf(error)
  const cause = describe(error.cause)
  return error.message.endsWith(cause) ? error.message : `${error.message}: ${cause}`
}
