// Prometheus's text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats):
//
//   # HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and family.
//   # TYPE coredns_dns_requests_total counter
//   coredns_dns_requests_total{family="1",proto="udp",server="dns://:53",type="A",view="",zone="."} 12
//
// A histogram has one cumulative _bucket line for each bound and one for +Inf, then _sum and _count. Labels stand in
// alphabetical order, as the Go client writes them, `le` last. Who asks for OpenMetrics 1.0.0 gets that: counters are named
// without `_total` where they are described, bounds have a decimal point, and `# EOF` stands at the end.

import type { Family } from './family.ts'
import type { FamilySamples, Sample } from './registry.ts'

/** The forms, with their Content-Types. */
export const EXPOSITION_TYPES = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const
export type ExpositionForm = keyof typeof EXPOSITION_TYPES

/** Writes the families, each with its HELP and TYPE lines. */
export function exposition(families: readonly FamilySamples[], form: ExpositionForm = 'text'): string {
  const isOpen = form === 'openMetrics'
  const lines: string[] = []
  for (const { family, samples } of families) {
    const name = isOpen && family.type === 'counter' ? family.name.replace(/_total$/, '') : family.name
    const help = isOpen ? escapeValue(family.help) : escapeHelp(family.help)
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${family.type}`)
    const order = family.labels
      .map((_, i) => i)
      .sort((a, b) => (family.labels[a]! < family.labels[b]! ? -1 : 1))
    for (const sample of samples) {
      const labels = order.map(i => `${family.labels[i]}="${escapeValue(sample.values[i]!)}"`)
      if (family.type === 'histogram') writeHistogram(lines, family, labels, sample, isOpen)
      else lines.push(`${family.name}${braces(labels)} ${formatNumber(sample.numbers[0]!)}`)
    }
  }
  if (isOpen) lines.push('# EOF')
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function writeHistogram(
  lines: string[],
  family: Family,
  labels: readonly string[],
  sample: Sample,
  isOpen: boolean,
): void {
  const { name, buckets } = family
  let count = 0
  for (let i = 0; i <= buckets.length; i++) {
    count += sample.numbers[i]!
    const bound = i < buckets.length ? formatBound(buckets[i]!, isOpen) : '+Inf'
    lines.push(`${name}_bucket${braces([...labels, `le="${bound}"`])} ${formatNumber(count)}`)
  }
  lines.push(`${name}_sum${braces(labels)} ${formatNumber(sample.numbers[buckets.length + 1]!)}`)
  lines.push(`${name}_count${braces(labels)} ${formatNumber(count)}`)
}

const braces = (labels: readonly string[]): string => (labels.length === 0 ? '' : `{${labels.join(',')}}`)

/** OpenMetrics wants the bounds of all targets alike: 1.0, not 1. */
const formatBound = (bound: number, isOpen: boolean): string =>
  isOpen && Number.isInteger(bound) ? bound.toFixed(1) : formatNumber(bound)

/** A number as Go's ParseFloat reads it. */
export function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
