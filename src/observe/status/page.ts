// The live page: HTML as the server writes it, whole without a script; with one its parts are replaced as events come.

import type { Frequent } from '../traffic.ts'
import type { StatusData, UpstreamFigures, WatchFigures } from './data.ts'

/** A name that was asked about, with what is told of it. */
export interface Explained {
  readonly name: string
  readonly type: string
  readonly from: string
  /** Lines; '' where nothing was asked. */
  readonly text: string
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

/** The parts that change, by the id of the element that holds each. */
export function statusParts(data: StatusData): Readonly<Record<string, string>> {
  const { lists } = data
  return {
    figures: figures(data),
    problems: list(data.problems, 'None.'),
    storms: list(data.storms, 'None.'),
    codes: table(
      ['code', 'answers/s'],
      data.codes.map(({ rcode, perSecond }) => [rcode, rate(perSecond)]),
      'No answers in the last seconds.',
    ),
    upstreams: table(
      ['upstream', 'health', 'asked/s', 'median', '99 %', 'failures/s'],
      data.upstreams.map(upstreamRow),
      'None was asked yet.',
    ),
    watches: table(
      ['resource', 'objects', 'state', 'known to be so'],
      data.watches.map(watchRow),
      'No API server is watched.',
    ),
    threads: table(
      ['thread', 'busy'],
      data.threads.map(({ name, busyRatio }) => [name, percent(busyRatio)]),
      'None.',
    ),
    clients: frequent('client', lists.clients),
    names: frequent('name', lists.names),
    failing: frequent('name and code', lists.failing),
  }
}

/** The whole page. */
export function statusPage(data: StatusData, explained: Explained): string {
  const parts = statusParts(data)
  const section = (id: string, title: string, about = ''): string =>
    `<section aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${about === '' ? '' : `<p class="about">${about}</p>`}<div id="${id}">${parts[id]}</div></section>`
  const field = (id: string, label: string, value: string, hint: string): string =>
    `<label for="${id}">${label}</label><input id="${id}" name="${id}" value="${escapeHtml(value)}" placeholder="${hint}" autocomplete="off" autocapitalize="off" spellcheck="false">`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Seamark</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/status/style.css">
<link rel="icon" href="data:,">
<script src="/status/script.js" defer></script>
</head>
<body>
<header><h1>Seamark</h1><p>${escapeHtml(data.version)} · <span id="state" role="status">as it was when the page was loaded</span></p></header>
<main>
<section aria-labelledby="figures-title"><h2 id="figures-title">Now</h2><dl id="figures">${parts.figures}</dl></section>
<section aria-labelledby="explain-title"><h2 id="explain-title">Explain a name</h2>
<form action="/status" method="get">
${field('name', 'Name', explained.name, 'web.shop')}
${field('type', 'Type', explained.type, 'A')}
${field('from', 'From', explained.from, 'NAMESPACE/POD or an address')}
<button>Explain</button>
</form></section>
${explained.text === '' ? '' : explanation(explained.text)}
<section aria-labelledby="problems-title"><h2 id="problems-title">Problems</h2><div id="problems" aria-live="polite">${parts.problems}</div></section>
<section aria-labelledby="storms-title"><h2 id="storms-title">Storms</h2><div id="storms">${parts.storms}</div></section>
${section('codes', 'Answers')}
${section('upstreams', 'Upstreams')}
${section('watches', 'Watches')}
${section('threads', 'Threads')}
${section('clients', 'Who asks most', LISTED)}
${section('names', 'What is asked most', LISTED)}
${section('failing', 'What fails most', 'In the last minute, of samples.')}
</main>
</body>
</html>
`
}

/** What is told of a name: the cause and what to do in front, then how it comes to that. */
function explanation(text: string): string {
  const at = text.lastIndexOf('Cause: ')
  const [steps, end] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)]
  const sentences = end
    .trimEnd()
    .split('\n')
    .filter(line => line !== '')
    .map(line => `<p>${escapeHtml(line)}</p>`)
  return `<section class="whole" id="explained" aria-label="Explanation">${sentences.join('')}<pre tabindex="0" role="region" aria-label="Steps">${escapeHtml(steps.trimEnd())}</pre></section>`
}

const LISTED = 'In the last ten seconds, of samples. ± is what a figure may be too high by.'

function figures(data: StatusData): string {
  const { memoryOctets, memoryLimitOctets, cacheHitRatio } = data
  const of = memoryLimitOctets > 0 ? ` of ${mebi(memoryLimitOctets)}` : ''
  const rows: readonly (readonly [term: string, value: string])[] = [
    ['Queries a second', rate(data.queriesPerSecond)],
    ['Time to answer, median', duration(data.p50Ms)],
    ['Time to answer, 99 %', duration(data.p99Ms)],
    ['Answered from a cache', cacheHitRatio === undefined ? '–' : percent(cacheHitRatio)],
    ['Answers in caches', whole(data.cacheEntries)],
    ['Memory', `${mebi(memoryOctets)}${of}`],
    ['Up for', upTime(data.upSeconds)],
  ]
  return rows.map(([term, value]) => `<div><dt>${term}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')
}

const upstreamRow = (upstream: UpstreamFigures): readonly string[] => [
  upstream.to,
  upstream.isDown ? 'down' : 'well',
  rate(upstream.perSecond),
  duration(upstream.p50Ms),
  duration(upstream.p99Ms),
  rate(upstream.failuresPerSecond),
]

const watchRow = ({ resource, objects, state, ageSeconds }: WatchFigures): readonly string[] => [
  resource,
  whole(objects),
  state,
  ageSeconds === undefined ? '–' : `${Math.round(ageSeconds)} s ago`,
]

const frequent = (what: string, list: readonly Frequent[]): string =>
  table(
    [what, 'queries/s', '±'],
    list.map(({ key, perSecond, errorPerSecond }) => [key, rate(perSecond), rate(errorPerSecond)]),
    'Nothing in the last seconds.',
  )

const list = (lines: readonly string[], nothing: string): string =>
  lines.length === 0
    ? `<p>${nothing}</p>`
    : `<ul>${lines.map(line => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`

/** A table whose first column names its rows. */
function table(head: readonly string[], rows: readonly (readonly string[])[], nothing: string): string {
  if (rows.length === 0) return `<p>${nothing}</p>`
  const heads = head.map(text => `<th scope="col">${text}</th>`).join('')
  const body = rows.map(([first = '', ...cells]) => {
    const data = cells.map(cell => `<td>${escapeHtml(cell)}</td>`).join('')
    return `<tr><th scope="row">${escapeHtml(first)}</th>${data}</tr>`
  })
  return `<div class="wide"><table><thead><tr>${heads}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}

const rate = (perSecond: number): string =>
  perSecond === 0 ? '0' : perSecond < 10 ? perSecond.toFixed(1) : whole(perSecond)

const whole = (number: number): string => Math.round(number).toLocaleString('en-US')

const percent = (ratio: number): string => `${(100 * ratio).toFixed(ratio < 0.1 ? 1 : 0)} %`

const mebi = (octets: number): string =>
  octets < 2 ** 33 ? `${Math.round(octets / 2 ** 20)} MiB` : `${Math.round(octets / 2 ** 30)} GiB`

const duration = (ms: number | undefined): string =>
  ms === undefined ? '–' : ms < 1 ? `${ms.toFixed(2)} ms` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`

function upTime(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60].map(
    Math.floor,
  )
  if (days! > 0) return `${days} d ${hours} h`
  return hours! > 0
    ? `${hours} h ${minutes} min`
    : minutes! > 0
      ? `${minutes} min`
      : `${Math.floor(seconds)} s`
}
