// A name of the cluster in its parts (Kubernetes DNS specification): which Service, endpoint or port it is about. What the
// server answers is not decided here.

import type { KubernetesConfig } from '../plugin/kubernetes/config.ts'
import { sourceKey } from '../plugin/kubernetes/config.ts'
import type { ClusterView, World } from './world.ts'

export interface ClusterName {
  readonly view: ClusterView
  readonly config: KubernetesConfig
  readonly zone: string
  readonly kind: 'service' | 'pod' | 'other'
  readonly namespace: string
  readonly service: string
  /** Of an endpoint's name. */
  readonly endpoint: string
  /** Of an SRV name, without their underscores. */
  readonly port: string
  readonly protocol: string
}

/** What the name is about; undefined where no cluster has its zone. `name` is absolute. */
export function clusterNameOf(name: string, { setup, clusters }: World): ClusterName | undefined {
  const folded = name.toLowerCase()
  const found = setup.kubernetes
    .flatMap(config => config.zones.map(zone => ({ config, zone })))
    .filter(({ zone }) => folded === zone || folded.endsWith(`.${zone}`))
    .sort((a, b) => b.zone.length - a.zone.length)[0]
  const view = found && clusters.find(({ key }) => key === sourceKey(found.config))
  if (!view) return undefined
  const { config, zone } = found
  const labels = folded
    .slice(0, -zone.length)
    .split('.')
    .filter(label => label !== '')
  const category = labels.at(-1)
  const kind = category === 'svc' ? 'service' : category === 'pod' ? 'pod' : 'other'
  const [namespace = '', service = '', second = '', first = ''] =
    kind === 'other' ? [] : labels.toReversed().slice(1)
  const isPort = first.startsWith('_') && second.startsWith('_')
  return {
    view,
    config,
    zone,
    kind,
    namespace,
    service,
    endpoint: isPort || first !== '' ? '' : second,
    port: isPort ? first.slice(1) : '',
    protocol: isPort ? second.slice(1) : '',
  }
}
