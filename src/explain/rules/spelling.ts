// Names that are nearly one of the cluster's, and are none: another order, a part too few, another zone.

import { bare, type Case, isAbsent, type Rule } from '../case.ts'

interface Found {
  readonly zone: string
  has(namespace: string, service: string): boolean
}

/** The cluster that names are of: the first one. */
function clusterOf({ world }: Case): Found | undefined {
  const config = world.setup.kubernetes.find(({ primaryZone }) => primaryZone !== '')
  const [view] = world.clusters
  if (!config || !view) return undefined
  return {
    zone: bare(config.primaryZone),
    has: (namespace, service) => view.cluster.service(namespace, service) !== undefined,
  }
}

const labelsOf = (asked: string): string[] => bare(asked.toLowerCase()).split('.')

/** `web.shop.cluster.local` */
const withoutSvc: Rule = one => {
  const cluster = clusterOf(one)
  if (!cluster || !isAbsent(one) || one.found?.kind !== 'other') return undefined
  const asked = bare(one.asked.toLowerCase())
  if (!asked.endsWith(`.${cluster.zone}`)) return undefined
  const [service = '', namespace = '', ...more] = asked.slice(0, -cluster.zone.length - 1).split('.')
  if (more.length > 0 || !cluster.has(namespace, service)) return undefined
  return {
    cause: `Names of Services end in svc.${cluster.zone}, and ${asked} lacks svc.`,
    advice: `Ask for ${service}.${namespace}.svc.${cluster.zone}.`,
  }
}

/** `web.shop.svc.cluster.loca` */
const otherZone: Rule = one => {
  const cluster = clusterOf(one)
  if (!cluster || !isAbsent(one)) return undefined
  const labels = labelsOf(one.asked)
  const at = labels.indexOf('svc')
  if (at < 2 || at === labels.length - 1 || labels.slice(at + 1).join('.') === cluster.zone) return undefined
  return {
    cause: `Names of this cluster end in svc.${cluster.zone}, and ${bare(one.asked)} does not.`,
    advice: `Ask for ${labels.slice(0, at).join('.')}.svc.${cluster.zone}.`,
  }
}

/** `shop.web` */
const swapped: Rule = one => {
  const cluster = clusterOf(one)
  if (!cluster || !isAbsent(one)) return undefined
  const [namespace = '', service = '', third] = labelsOf(one.asked)
  if (service === '' || (third !== undefined && third !== 'svc')) return undefined
  if (cluster.has(service, namespace) || !cluster.has(namespace, service)) return undefined
  return {
    cause: `The Service comes first and its namespace behind it: ${service} is a Service in namespace ${namespace}.`,
    advice: `Ask for ${service}.${namespace}.svc.${cluster.zone}.`,
  }
}

export const SPELLING: readonly Rule[] = [withoutSvc, otherZone, swapped]
