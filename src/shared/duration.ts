// Durations in words, as Go writes them and as CoreDNS's log lines have them: 1m30s, 5s, 250ms, 2h0m0s.

/** A duration of milliseconds as Go's time.Duration prints it. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`
  if (durationMs === 0) return '0s'
  if (durationMs < 0.001) return `${trim(durationMs * 1e6, 0)}ns`
  if (durationMs < 1) return `${trim(durationMs * 1000, 3)}µs`
  if (durationMs < 1000) return `${trim(durationMs, 6)}ms`
  const minutes = Math.floor(durationMs / 60_000)
  const seconds = `${trim((durationMs - minutes * 60_000) / 1000, 9)}s`
  if (minutes === 0) return seconds
  const hours = Math.floor(minutes / 60)
  return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`
}

/** At most `digits` behind the point, without zeros at the end. */
function trim(value: number, digits: number): string {
  const text = value.toFixed(digits)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
