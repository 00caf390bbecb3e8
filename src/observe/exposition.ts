// Prometheus's text exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats):
//
//   # HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and family.
//   # TYPE coredns_dns_requests_total counter
//   coredns_dns_requests_total{family="1",proto="udp",server="dns://:53",type="A",view="",zone="."} 12
//
// A histogram has one cumulative _bucket line for each bound and one for +Inf, then _sum and _count. Labels stand in
// alphabetical order, as the Go client writes them, `le` last.

import type { Family } from './families.ts'
import type { FamilySamples, Sample } from './registry.ts'

/** The Content-Type of what `exposition` writes. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Writes the families, each with its HELP and TYPE lines. */
export function exposition(families: readonly FamilySamples[]): string {
  const lines: string[] = []
  for (const { family, samples } of families) {
    lines.push(`# HELP ${family.name} ${escapeHelp(family.help)}`, `# TYPE ${family.name} ${family.type}`)
    const order = family.labels
      .map((_, i) => i)
      .sort((a, b) => (family.labels[a]! < family.labels[b]! ? -1 : 1))
    for (const sample of samples) {
      const labels = order.map(i => `${family.labels[i]}="${escapeValue(sample.values[i]!)}"`)
      if (family.type === 'histogram') writeHistogram(lines, family, labels, sample)
      else lines.push(`${family.name}${braces(labels)} ${formatNumber(sample.numbers[0]!)}`)
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function writeHistogram(lines: string[], family: Family, labels: readonly string[], sample: Sample): void {
  const { name, buckets } = family
  let count = 0
  for (let i = 0; i <= buckets.length; i++) {
    count += sample.numbers[i]!
    const bound = i < buckets.length ? formatNumber(buckets[i]!) : '+Inf'
    lines.push(`${name}_bucket${braces([...labels, `le="${bound}"`])} ${formatNumber(count)}`)
  }
  lines.push(`${name}_sum${braces(labels)} ${formatNumber(sample.numbers[buckets.length + 1]!)}`)
  lines.push(`${name}_count${braces(labels)} ${formatNumber(count)}`)
}

const braces = (labels: readonly string[]): string => (labels.length === 0 ? '' : `{${labels.join(',')}}`)

/** A number as Go's ParseFloat reads it. */
export function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
