// The same Corefile through CoreDNS and Seamark: every case of corefiles/ is started on both, asked, and compared by
// answers, metrics and log lines. A difference is either in the case's own list or in differences.ts, with its reason,
// or a failure; a listed one that is not seen is a failure, too.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NoAnswer } from '../support/dns-client.ts'
import { startCaseUpstream } from './case-upstream.ts'
import { type CorefileCase, type ExpectedDifference, parseCase } from './corefile-case.ts'
import { CaseServer, type Trace } from './corefile-pair.ts'
import { ACCEPTED_DIFFERENCES, withoutForwarded } from './differences.ts'
import { fixtureNamespaces, fixtureObjects, fixtureStatuses } from './every-object.ts'
import { askOne, linesOf } from './parity.ts'
import { eventually, Scope } from './processes.ts'
import type { ParityQuestion } from './questions.ts'
import { type Context, holds, type Suite } from './suite.ts'

const FOLDER = join(import.meta.dirname, 'corefiles')
const SHOWN = 20
/** Pods of the fixture: db 3, front 2, starting 2, and 5 that ask. */
const FIXTURE_PODS = 12
/** The controllers may still be waiting to come back to an API server that was killed before. */
const WORKLOADS_DEADLINE_MS = 60_000

/** All cases, by file name. */
export const readCases = (): CorefileCase[] =>
  readdirSync(FOLDER)
    .filter(file => file.endsWith('.txt'))
    .sort()
    .map(file => parseCase(file.slice(0, -'.txt'.length), readFileSync(join(FOLDER, file), 'utf8')))

/** Remembers which accepted differences were met. */
class Accepted {
  readonly #expected: readonly ExpectedDifference[]
  readonly #met = new Set<ExpectedDifference>()

  constructor(expected: readonly ExpectedDifference[]) {
    this.#expected = expected
  }

  has(kind: ExpectedDifference['kind'], text: string): boolean {
    const found = this.#expected.filter(each => each.kind === kind && each.pattern.test(text))
    for (const each of found) this.#met.add(each)
    return found.length > 0
  }

  get unmet(): string[] {
    return this.#expected
      .filter(each => !each.isByChance && !this.#met.has(each))
      .map(({ text }) => `not seen any more: ${text}`)
  }
}

async function runCase(context: Context, one: CorefileCase): Promise<void> {
  const scope = new Scope()
  try {
    const upstream = await startCaseUpstream(scope, one.upstream)
    const environment = { UPSTREAM: `${upstream}`, KUBECONFIG: context.world.plane.kubeconfigFile }
    const [coredns, seamark] = await Promise.all([
      CaseServer.start(scope, 'coredns', one, environment),
      CaseServer.start(scope, context.world.subject, one, environment),
    ])
    const accepted = new Accepted(one.differences)
    const complaints: string[] = []
    for (const question of one.questions)
      complaints.push(...(await compareAnswers(coredns, seamark, question, accepted)))
    const traces = await Promise.all([coredns.trace(), seamark.trace()])
    complaints.push(...compareTraces(...traces, accepted), ...accepted.unmet)
    holds(complaints.length === 0, complaints.slice(0, SHOWN).join('\n'))
  } finally {
    await scope.end()
  }
}

async function compareAnswers(
  coredns: CaseServer,
  seamark: CaseServer,
  question: ParityQuestion,
  accepted: Accepted,
): Promise<string[]> {
  const replies = await Promise.all([askOne(coredns.server, question), askOne(seamark.server, question)])
  const [left, right] = replies.map(reply =>
    withoutForwarded(linesOf(reply)).filter(line => !accepted.has('record', line.replace(/^\S+ /, ''))),
  ) as [string[], string[]]
  if (left.join('\n') === right.join('\n')) return []
  const { name, type, ...how } = question
  if (accepted.has('answer', `${name} ${type}`)) return []
  const [one, other] = replies.map(reply => (reply instanceof NoAnswer ? undefined : reply))
  if (ACCEPTED_DIFFERENCES.some(({ applies }) => applies(question, one, other))) return []
  return [
    `${name} ${type} ${JSON.stringify(how)}`,
    ...only(left, right).map(line => `    CoreDNS: ${line}`),
    ...only(right, left).map(line => `    here:    ${line}`),
  ]
}

const only = (lines: readonly string[], others: readonly string[]): string[] =>
  lines.filter(line => !others.includes(line))

function compareTraces(coredns: Trace, seamark: Trace, accepted: Accepted): string[] {
  const complaints: string[] = []
  const complain = (kind: 'metric' | 'log', key: string, text: string): void => {
    if (!accepted.has(kind, key)) complaints.push(text)
  }
  const family = (sample: string): string => sample.slice(0, sample.indexOf('{'))
  for (const key of coredns.metrics.keys())
    if (!seamark.metrics.has(key)) complain('metric', family(key), `metric only of CoreDNS: ${key}`)
  // What counts nothing yet is shown here as 0; CoreDNS shows most of it with its first count.
  for (const [key, value] of seamark.metrics)
    if (value > 0 && !coredns.metrics.has(key)) complain('metric', family(key), `metric only here: ${key}`)
  for (const [key, value] of coredns.added) {
    const other = seamark.added.get(key)
    if (other !== undefined && other !== value)
      complain('metric', family(key), `${key}: ${value}, here ${other}`)
  }
  const lines = [...seamark.log]
  for (const line of coredns.log) {
    const at = lines.indexOf(line)
    if (at >= 0) lines.splice(at, 1)
    else complain('log', line, `line only of CoreDNS: ${line}`)
  }
  for (const line of lines) complain('log', line, `line only here: ${line}`)
  return complaints
}

async function fill({ world: { plane } }: Context): Promise<void> {
  await plane.client.apply(fixtureNamespaces())
  await plane.client.apply(fixtureObjects())
  for (const [key, ingress] of Object.entries(fixtureStatuses())) {
    const [namespace = '', name = ''] = key.split('/')
    const reference = { apiVersion: 'v1', kind: 'Service', namespace, name }
    await plane.client.patch(reference, { status: { loadBalancer: { ingress } } }, 'status')
  }
  await eventually(
    'the workloads',
    async () => {
      const pods = await plane.client.list({ apiVersion: 'v1', kind: 'Pod', namespace: '*' })
      return pods.filter(({ status }) => status?.podIP).length === FIXTURE_PODS
    },
    WORKLOADS_DEADLINE_MS,
  )
}

export const suite: Suite = {
  name: 'corefiles',
  async run(context) {
    await fill(context)
    const cases = readCases()
    const questions = cases.reduce((sum, one) => sum + one.questions.length, 0)
    context.note(`${cases.length} Corefiles, ${questions} questions`)
    for (const one of cases) await context.check(`${one.name}: ${one.about}`, () => runCase(context, one))
  },
}
