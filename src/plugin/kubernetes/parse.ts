// Reads the `kubernetes` directive (docs/coredns.md 4.1) with what Seamark adds: `manifests DIR` and
// `local_ips ADDRESS…`.

import { resolve } from 'node:path'
import { type Line, once, readLine } from '../../corefile/arguments.ts'
import type { Directive } from '../../corefile/corefile.ts'
import type { Problems } from '../../corefile/problem.ts'
import type { Token } from '../../corefile/token.ts'
import { parseSelector } from '../../objects/label-selector.ts'
import { OBJECT_DEFAULTS, type TopologyOptions } from '../../objects/options.ts'
import { isDnsLabel } from '../../objects/slim.ts'
import { recordOptions } from '../k8s_records/config.ts'
import type { BlockContext } from '../plugin.ts'
import { policyNeeds } from '../policy/selector-words.ts'
import { stubOptions } from '../stubdomains/parse.ts'
import { namesPlaces, readClients } from './clients.ts'
import {
  type KubernetesConfig,
  SNAPSHOT_AGE_DEFAULT_MS,
  type SourceConfig,
  STARTUP_TIMEOUT_DEFAULT_MS,
  TTL_DEFAULT_SECONDS,
  TTL_MAX_SECONDS,
} from './config.ts'
import { isReverseZone } from './reverse-zone.ts'

const DAY_MS = 86_400_000
/** Endpoints that a client must have nearby before it is given these alone. */
const AT_LEAST_MAX = 1000

/** Options that CoreDNS once had. */
const REMOVED = {
  upstream: 'delete it; targets outside the zone are resolved without it',
  resyncperiod: 'delete it; the watch needs no resync',
  transfer: 'write the directive transfer in the server block',
}

/** A configuration while it is read. */
type Draft = { -readonly [K in keyof KubernetesConfig]: KubernetesConfig[K] }
interface Api {
  endpoint?: string
  tls?: { cert: string; key: string; ca: string }
  kubeconfig?: string
  context?: string
}

export function parseKubernetes(
  directives: readonly Directive[],
  problems: Problems,
  block: BlockContext,
): KubernetesConfig | undefined {
  const directive = once(directives, problems)
  if (directive === undefined) return undefined
  const draft: Draft = {
    ...OBJECT_DEFAULTS,
    zones: [],
    primaryZone: '',
    pods: 'disabled',
    ttlSeconds: TTL_DEFAULT_SECONDS,
    fallthrough: undefined,
    startupTimeoutMs: STARTUP_TIMEOUT_DEFAULT_MS,
    multiclusterZones: [],
    source: { kind: 'api' },
    snapshot: undefined,
    localIps: [],
  }
  const api: Api = {}
  const errorsBefore = problems.errors
  readLine(directive, problems, line => {
    draft.zones = [...new Set(line.zones(block.zones))]
    readOptions(line, draft, api, block)
  })
  judge(directive.word, draft, api, problems)
  draft.nodes = draft.topology !== undefined || namesPlaces(block, problems)
  draft.clients = readClients(draft, block, problems)
  const ownZones = draft.zones.filter(zone => !isReverseZone(zone))
  draft.records = recordOptions(block, ownZones)
  Object.assign(draft, policyNeeds(block))
  draft.stubs = stubOptions(block, ownZones)
  if (draft.source.kind === 'api') draft.source = { kind: 'api', ...api }
  return problems.errors > errorsBefore ? undefined : draft
}

function readOptions(line: Line, draft: Draft, api: Api, block: BlockContext): void {
  const file = (option: Line, what: string): string | undefined => {
    const text = option.text(what)
    return text === undefined ? undefined : resolve(block.directory, text)
  }
  line.options(
    {
      pods: option => {
        draft.pods = option.choice('the mode', ['disabled', 'insecure', 'verified']) ?? draft.pods
        draft.verifiedPods = draft.pods === 'verified'
      },
      ttl: option => {
        draft.ttlSeconds = option.integer('the TTL in seconds', 0, TTL_MAX_SECONDS) ?? draft.ttlSeconds
      },
      fallthrough: option => {
        draft.fallthrough = option.zones(['.'])
      },
      endpoint_pod_names: () => {
        draft.endpointPodNames = true
      },
      namespaces: option => {
        draft.namespaces = option.some('a namespace').map(token => token.text)
      },
      namespace_labels: option => {
        draft.namespaceLabels = selector(option) ?? ''
      },
      labels: option => {
        draft.labels = selector(option) ?? ''
      },
      noendpoints: () => {
        draft.noEndpoints = true
      },
      ignore: option => {
        if (option.choice('what to ignore', ['empty_service']) !== undefined) draft.ignoreEmptyService = true
      },
      zonal: () => {
        draft.zonal = true
      },
      topology: option => {
        option.once()
        draft.topology = readTopology(option)
      },
      startup_timeout: option => {
        const timeoutMs = option.duration('the time to wait for the API server', { maxMs: DAY_MS })
        draft.startupTimeoutMs = timeoutMs ?? draft.startupTimeoutMs
      },
      multicluster: option => {
        if (!option.has) option.error(option.word, 'multicluster needs a zone')
        draft.multiclusterZones = option.zones()
        draft.multicluster = draft.multiclusterZones.length > 0
        for (const zone of draft.multiclusterZones) {
          if (draft.zones.includes(zone)) continue
          const message = 'a multicluster zone must be one of the zones of kubernetes'
          option.error(option.word, message, { found: zone, allowed: draft.zones })
        }
      },
      endpoint: option => {
        const first = option.text('the URL of the API server')
        if (first !== undefined) api.endpoint = /^https?:\/\//.test(first) ? first : `http://${first}`
        const [second] = option.rest()
        if (second) option.problems.warning(second, 'only the first endpoint is used', { found: second.text })
      },
      tls: option => {
        const [cert, key, ca] = [
          option.path('the certificate', block.directory),
          option.path('the key', block.directory),
          option.path('the CA', block.directory),
        ]
        if (cert !== undefined && key !== undefined && ca !== undefined) api.tls = { cert, key, ca }
      },
      kubeconfig: option => {
        const path = option.path('the kubeconfig file', block.directory)
        if (path !== undefined) api.kubeconfig = path
        const context = option.has ? option.text('the context') : undefined
        if (context !== undefined) api.context = context
      },
      manifests: option => {
        const directory = file(option, 'the folder')
        const namespace = option.has ? readNamespace(option) : undefined
        if (directory !== undefined)
          draft.source = {
            kind: 'manifests',
            directory,
            ...(namespace !== undefined && { namespace }),
          } satisfies SourceConfig
      },
      snapshot: option => {
        const path = file(option, 'the file for the last good state')
        const bounds = { minMs: 1000, maxMs: 365 * DAY_MS }
        const maxAgeMs = option.has ? option.duration('the age', bounds) : SNAPSHOT_AGE_DEFAULT_MS
        if (path !== undefined && maxAgeMs !== undefined) draft.snapshot = { file: path, maxAgeMs }
      },
      local_ips: option => {
        const addresses: string[] = []
        do {
          const address = option.ip('an address of this server')
          if (address === undefined) break
          addresses.push(address)
        } while (option.has)
        draft.localIps = addresses
      },
      apiserver_qps: option => limitless(option),
      apiserver_burst: option => limitless(option),
      apiserver_max_inflight: option => limitless(option),
    },
    REMOVED,
  )
}

/** `auto|zone|node [at_least N]`. */
function readTopology(option: Line): TopologyOptions | undefined {
  const of = option.choice('auto, zone or node', ['auto', 'zone', 'node'])
  let atLeast: number | undefined = 1
  if (option.has) {
    const word = option.choice('what can be said of topology', ['at_least'])
    atLeast = word && option.integer('how many endpoints', 1, AT_LEAST_MAX)
  }
  return of && atLeast !== undefined ? { of, atLeast } : undefined
}

/** `namespace NAME` behind a folder. */
function readNamespace(option: Line): string | undefined {
  if (option.choice('what can be said of a folder', ['namespace']) === undefined) return undefined
  const token = option.token('the namespace of objects that name none')
  if (token === undefined || isDnsLabel(token.text)) return token?.text
  return option.error(token, 'this is no name of a namespace', { found: token.text })
}

function limitless(option: Line): void {
  const [token] = option.some('a number')
  if (token)
    option.problems.warning(
      token,
      'client-side limits do nothing here: one watch a resource is all that is asked',
    )
}

/** The text of a label selector, its words joined as they may be written apart. */
function selector(option: Line): string | undefined {
  const tokens = option.some('a label selector')
  const text = tokens.map(token => token.text).join(' ')
  const read = parseSelector(text)
  if (tokens[0] && 'problem' in read)
    return option.error(tokens[0], `not a label selector: ${read.problem}`, { found: text })
  return text
}

function judge(word: Token, draft: Draft, api: Api, problems: Problems): void {
  const primary = draft.zones.find(zone => !isReverseZone(zone))
  if (primary !== undefined) draft.primaryZone = primary
  else if (draft.zones.length > 0) {
    problems.error(word, 'only reverse zones: PTR records need a zone to point into', {
      found: draft.zones.join(' '),
    })
  }
  if (draft.namespaces.length > 0 && draft.namespaceLabels !== '') {
    problems.error(word, 'namespaces and namespace_labels exclude one another')
  }
  if (draft.zonal && draft.noEndpoints)
    problems.error(word, 'zonal needs the endpoints that noendpoints leaves out')
  if (draft.topology && draft.noEndpoints)
    problems.error(word, 'topology needs the endpoints that noendpoints leaves out')
  const fromApi = api.endpoint !== undefined || api.kubeconfig !== undefined
  if (draft.source.kind === 'manifests' && fromApi) {
    problems.error(word, 'manifests excludes endpoint and kubeconfig: the objects come from one source')
  }
  if (draft.source.kind === 'manifests' && draft.snapshot !== undefined) {
    problems.error(word, 'manifests needs no snapshot: the folder is there at every start')
  }
  if (api.endpoint !== undefined && api.kubeconfig !== undefined) {
    problems.warning(word, 'kubeconfig overrides endpoint')
    delete api.endpoint
  }
}
