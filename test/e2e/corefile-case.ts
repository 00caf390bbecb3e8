// One Corefile that both servers are to serve alike, with its questions, in one text file (corefiles/*.txt):
//
//   what it is about, in a line
//   -- Corefile --
//   . {
//       bind 127.0.0.1
//       prometheus 127.0.0.1:{$METRICS}
//       forward . 127.0.0.1:{$UPSTREAM}
//   }
//   -- upstream --                      what the upstream knows; everything else is NXDOMAIN
//   www.example.net. 60 A 192.0.2.80
//   broken.example.net. SERVFAIL        or REFUSED, or SILENT: it never answers
//   -- db.example --                    any other section is a file of that name beside the Corefile
//   -- questions --
//   web.demo.svc A                      a relative name has no final dot and is below cluster.local
//   www.example.net. AAAA tcp rd0 cd ad do nsid size=512 class=CH from=127.0.0.2 x3
//   www.example.net. AAAA tls           over TLS, at the port TLS; https and https-get at the port HTTPS
//   example.org. IXFR tcp serial=7      transfers over TCP are compared with all their messages
//   -- differences --                   what is to be otherwise: NAME TYPE, * for any; the reason; `by chance` in front
//   www.example.net. ANY: the reason
//   record a.example.net. 60 IN A *: the reason     this record, in every answer of either
//   metric coredns_x_total: the reason
//   log ^\[ERROR\] plugin/errors: the reason
//
// The environment has UPSTREAM, METRICS, READY, HEALTH, TLS, HTTPS (ports), KUBECONFIG and FOLDER (of the Corefile, with
// cert.pem and key.pem for 127.0.0.1 and localhost, and ca.pem). Both are started
// with `-p PORT`. Of the metrics, names and labels are compared and, of families that count queries, what was added; of
// the log, the lines of `log` and `errors`.

import type { ParityQuestion } from './questions.ts'

/** A difference that is accepted, with its reason; one that is never seen is a mistake in the file. */
export interface ExpectedDifference {
  readonly kind: 'answer' | 'record' | 'metric' | 'log'
  /** `NAME TYPE` or a record with `*`, the name of a family, or a regular expression for a line. */
  readonly pattern: RegExp
  readonly text: string
  readonly reason: string
  /** CoreDNS chooses by chance, and may choose as we do. */
  readonly isByChance: boolean
}

/** A case as read. */
export interface CorefileCase {
  readonly name: string
  readonly about: string
  readonly corefile: string
  readonly files: ReadonlyMap<string, string>
  /** Lines of the section `upstream`. */
  readonly upstream: readonly string[]
  /** In the order of the file, each as often as asked for. */
  readonly questions: readonly ParityQuestion[]
  readonly differences: readonly ExpectedDifference[]
}

const SECTION = /^-- (\S+) --$/

/** Reads a case. Throws for what is not understood, with its line. */
export function parseCase(name: string, text: string): CorefileCase {
  const sections = new Map<string, string[]>()
  let lines: string[] = []
  sections.set('', lines)
  for (const line of text.split('\n')) {
    const title = SECTION.exec(line)?.[1]
    if (title === undefined) lines.push(line)
    else {
      lines = []
      sections.set(title, lines)
    }
  }
  const take = (title: string): string[] => {
    const taken = sections.get(title) ?? []
    sections.delete(title)
    return taken
  }
  const listed = (title: string): string[] =>
    take(title)
      .map(line => line.replace(/(^|\s)#.*$/, '').trim())
      .filter(line => line !== '')
  const about = take('').join(' ').trim()
  const corefile = take('Corefile').join('\n')
  const upstream = listed('upstream')
  const questions = listed('questions').flatMap(line => parseQuestion(name, line))
  const differences = take('differences')
    .filter(line => line.trim() !== '')
    .map(line => parseDifference(name, line))
  if (corefile === '' || questions.length === 0)
    throw new Error(`${name}: a case needs a Corefile and questions`)
  const files = new Map([...sections].map(([title, body]) => [title, body.join('\n')]))
  return { name, about, corefile, files, upstream, questions, differences }
}

const absolute = (name: string): string => (name.endsWith('.') ? name : `${name}.cluster.local.`)

function parseQuestion(name: string, line: string): ParityQuestion[] {
  const [qname = '', type = 'A', ...words] = line.split(/\s+/)
  let question: ParityQuestion = { name: absolute(qname), type }
  let times = 1
  for (const word of words) {
    const [key = '', value = ''] = word.split('=')
    if (word === 'tcp') question = { ...question, tcp: true }
    else if (word === 'tls' || word === 'https' || word === 'https-get')
      question = { ...question, over: word }
    else if (word === 'rd0') question = { ...question, rd: false }
    else if (word === 'cd') question = { ...question, cd: true }
    else if (word === 'ad') question = { ...question, ad: true }
    else if (word === 'nsid') question = { ...question, nsid: true }
    else if (word === 'do') question = { ...question, dnssecOk: true }
    else if (key === 'size') question = { ...question, udpSize: Number(value) }
    else if (key === 'serial') question = { ...question, serial: Number(value) }
    else if (key === 'class') question = { ...question, class: value }
    else if (key === 'from') question = { ...question, localAddress: value }
    else if (/^x\d+$/.test(word)) times = Number(word.slice(1))
    else throw new Error(`${name}: ${line}: ${word} is not understood`)
  }
  return Array.from({ length: times }, () => question)
}

function parseDifference(name: string, line: string): ExpectedDifference {
  const [, chance, what = '', reason = ''] = /^(by chance )?(.*?): (.+)$/.exec(line) ?? []
  const isByChance = chance !== undefined
  if (reason === '') throw new Error(`${name}: ${line}: a difference needs a reason`)
  const [first = '', ...rest] = what.split(' ')
  if (first === 'log')
    return { kind: 'log', pattern: new RegExp(rest.join(' ')), text: what, reason, isByChance }
  if (first === 'record')
    return { kind: 'record', pattern: wildcard(rest.join(' ')), text: what, reason, isByChance }
  if (first === 'metric')
    return { kind: 'metric', pattern: wildcard(rest.join(' ')), text: what, reason, isByChance }
  const asked = first === '*' ? first : absolute(first)
  return { kind: 'answer', pattern: wildcard([asked, ...rest].join(' ')), text: what, reason, isByChance }
}

const wildcard = (text: string): RegExp =>
  new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 'i')
