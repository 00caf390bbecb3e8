// Reads Prometheus's text format 0.0.4 by its rules and complains about everything that breaks them, as `promtool check
// metrics` would: a judge of the server's exposition that shares no code with it.

/** One line with a value. */
export interface TextSample {
  /** With its suffix, where it is part of a histogram. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What follows one TYPE line. */
export interface TextFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly TextSample[]
}

/** A text as read, and every rule it breaks, with the line. */
export interface TextCheck {
  readonly families: ReadonlyMap<string, TextFamily>
  readonly problems: readonly string[]
}

interface Open {
  name: string
  type: string
  help: string
  samples: TextSample[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped']

/** Reads an exposition. */
export function checkPrometheusText(text: string): TextCheck {
  const families = new Map<string, TextFamily>()
  const problems: string[] = []
  let open: Open | undefined
  if (text !== '' && !text.endsWith('\n')) problems.push('the last line has no line feed')
  if (text.includes('\r')) problems.push('there is a carriage return')

  for (const [index, line] of text.split('\n').entries()) {
    const complain = (what: string): void => {
      problems.push(`line ${index + 1}: ${what}: ${line}`)
    }
    if (line === '') continue
    const comment = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line)
    if (comment !== null) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string]
      if (!NAME.test(name)) complain('no metric name')
      if (kind === 'HELP') {
        if (families.has(name)) complain('the family is there already')
        if (/\\(?![\\n])/.test(rest)) complain('a bad escape in the help text')
        open = { name, type: '', help: rest, samples: [] }
        families.set(name, open)
        continue
      }
      if (open === undefined || open.name !== name) {
        complain('TYPE without its HELP before it')
        continue
      }
      if (open.type !== '') complain('a second TYPE')
      if (!TYPES.includes(rest)) complain('no known type')
      if (rest === 'counter' && !name.endsWith('_total'))
        complain('a counter whose name does not end in _total')
      open.type = rest
      continue
    }
    const sample = readSample(line, complain)
    if (sample === undefined) continue
    if (open !== undefined && open.type !== '' && belongs(open, sample.name)) open.samples.push(sample)
    else complain('a sample outside its family')
  }
  for (const family of families.values()) checkFamily(family, problems)
  return { families, problems }
}

function readSample(line: string, complain: (what: string) => void): TextSample | undefined {
  const parts = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line)
  if (parts === null) {
    complain('neither a comment nor a sample')
    return undefined
  }
  const [, name, inner, value] = parts as unknown as [string, string, string | undefined, string]
  if (!NAME.test(name)) complain('no metric name')
  if (!NUMBER.test(value)) complain('no number')
  const labels: Record<string, string> = {}
  const before: string[] = []
  let rest = inner ?? ''
  while (rest !== '') {
    const label = /^([^=]+)="((?:[^"\\\n]|\\[\\"n])*)"(,(?=.)|$)/.exec(rest)
    if (label === null) {
      complain('a label that cannot be read')
      return undefined
    }
    const [whole, key, written] = label as unknown as [string, string, string]
    if (!LABEL.test(key)) complain(`no label name: ${key}`)
    if (key in labels) complain(`the label ${key} twice`)
    labels[key] = written.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter))
    before.push(key)
    rest = rest.slice(whole.length)
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) }
}

const belongs = (family: Open, name: string): boolean =>
  family.type === 'histogram'
    ? [`${family.name}_bucket`, `${family.name}_sum`, `${family.name}_count`].includes(name)
    : family.name === name

const setKey = (labels: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    Object.entries(labels)
      .filter(([name]) => name !== 'le')
      .sort(),
  )

function checkFamily(family: TextFamily, problems: string[]): void {
  const complain = (what: string): number => problems.push(`${family.name}: ${what}`)
  if (family.type === '') complain('no TYPE')
  if (family.help === '') complain('no help text')
  const seen = new Set<string>()
  for (const { name, labels, value } of family.samples) {
    const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`
    if (seen.has(key)) complain(`the same sample twice: ${key}`)
    seen.add(key)
    if (family.type === 'counter' && !(value >= 0)) complain('a counter below zero')
  }
  if (family.type !== 'histogram') return
  const sets = new Map<string, TextSample[]>()
  for (const sample of family.samples) {
    const key = setKey(sample.labels)
    sets.set(key, [...(sets.get(key) ?? []), sample])
  }
  for (const [key, samples] of sets) {
    const buckets = samples.filter(({ name }) => name.endsWith('_bucket'))
    const bounds = buckets.map(({ labels }) => Number((labels.le ?? 'NaN').replace('Inf', 'Infinity')))
    if (bounds.some((bound, i) => !(i === 0 || bound > bounds[i - 1]!)))
      complain(`bounds do not rise in ${key}`)
    if (buckets.some(({ value }, i) => i > 0 && value < buckets[i - 1]!.value))
      complain(`counts fall in ${key}`)
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) complain(`no +Inf bucket in ${key}`)
    const count = samples.find(({ name }) => name.endsWith('_count'))
    if (count?.value !== buckets.at(-1)?.value) complain(`the count is not the +Inf bucket's in ${key}`)
    if (!samples.some(({ name }) => name.endsWith('_sum'))) complain(`no sum in ${key}`)
  }
}
