// A row about other words in the Corefile, or another transport: Seamark and CoreDNS are started for it alone, on kubeadm's
// Corefile with the row's change, and where it is about forwards dnsdist and Unbound beside them. The goal is a share of what
// CoreDNS takes in the same run. What servers print goes to /dev/null: who reads a log has a disk of his own.

import { readFileSync } from 'node:fs'
import { Scope } from '../../e2e/processes.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { decodeMessage, query } from '../../support/dns-client.ts'
import type { EdnsOption } from '../../support/dns-question.ts'
import { programPath } from '../../support/system-program.ts'
import type { ServiceShape } from '../common/cluster.ts'
import type { Context, Row } from '../common/context.ts'
import type { CorefileChange } from '../common/corefile.ts'
import {
  type Forwarding,
  startForwarder,
  startTlsUpstream,
  startWildcard,
  UPSTREAM_NAME,
} from '../common/forwarders.ts'
import { type Placed, placeObjects } from '../common/objects.ts'
import { freshNames, writePackets, writeQueries } from '../common/queries.ts'
import { atMostOf, type RowResult } from '../common/results.ts'
import { SUBJECTS, type Subject, type SubjectId, start } from '../common/servers.ts'
import { doubt, type RowLoad, rounds, WrongAnswersError } from './round.ts'

/** So many names that no cache has for each second of a load: more than anybody forwards. */
const FRESH_A_SECOND = 80_000
const SILENCE = ['sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh']
const FORWARDERS = ['dnsdist', 'unbound'] as const
/** On a busy machine. */
const PATIENCE_MS = 10_000

/** A row in words and numbers. */
export interface CorefileRow extends Partial<Pick<RowLoad, 'load' | 'codes' | 'fill'>> {
  readonly id: string
  readonly title: string
  readonly change: CorefileChange
  /** Shares of what others take. */
  readonly goal: Readonly<Partial<Record<SubjectId, number>>>
  /** What is asked; default names beyond the cluster that nobody asked for before. */
  readonly queries?: (services: readonly ServiceShape[], serial: number) => string[]
  /** In every query. */
  readonly option?: EdnsOption
  /** Beside the Corefile, by name. */
  readonly files?: Readonly<Record<string, string>>
  readonly objects?: readonly Placed[]
  /** Where it is about forwards: how, with dnsdist and Unbound beside. */
  readonly forwarding?: Pick<Forwarding, 'transport' | 'cache'>
}

/** The row to be run. */
export function corefileRow(row: CorefileRow): Row {
  const { id, title, goal } = row
  return {
    id,
    title,
    async run(context: Context): Promise<RowResult[]> {
      await context.stopAll()
      const scope = new Scope()
      try {
        const started = await startAll(scope, context, row)
        if (typeof started === 'string')
          return [
            {
              title,
              unit: 'µs',
              figures: new Map(),
              goal: atMostOf(goal, new Map()).goal!,
              notes: [started],
            },
          ]
        const load = loadOf(context, row)
        await checkAnswers(started, row, load.file(0))
        const measured = await rounds(context, started, load)
        const { figures } = measured
        const notes = [doubt(measured)].filter(text => text !== undefined)
        return [{ title, unit: 'µs', figures, ...atMostOf(goal, figures), notes }]
      } finally {
        await scope.end()
      }
    },
  }
}

function loadOf(context: Context, row: CorefileRow): RowLoad {
  const { folder, effort, bench } = context
  const { queries, option, codes = { NOERROR: 1 }, fill = false } = row
  const isFresh = queries === undefined
  const lines = queries ?? ((_, serial) => freshNames(serial, FRESH_A_SECOND * effort.seconds))
  let written: { serial: number; file: string } | undefined
  const file = (serial: number): string => {
    // What is neither fresh nor filled into a cache is the same every time.
    const wanted = isFresh || fill ? serial : 0
    if (written?.serial === wanted) return written.file
    const all = lines(bench.world.services, wanted)
    const path = option ? writePackets(folder, 'row', all, option) : writeQueries(folder, 'row', all)
    written = { serial: wanted, file: path }
    return path
  }
  const load = isFresh ? { clients: 4, outstanding: 100, runs: 1, ...row.load } : { ...row.load }
  return { file, load, codes, fill }
}

/** The answers to the first question: all servers must give the same, or they do not do the same work. */
async function checkAnswers(subjects: readonly Subject[], row: CorefileRow, file: string): Promise<void> {
  const [name = '', type = 'A'] = firstQuestion(file)
  const { over } = row.change
  const edns = row.option ? { options: [row.option] } : row.load?.edns === true
  const answers: string[] = []
  for (const { id, port } of subjects) {
    const { rcode, records } = await query(port, {
      name,
      type,
      edns,
      tcp: row.load?.transport === 'tcp',
      ...(over && { over }),
      timeoutMs: PATIENCE_MS,
    })
    const data = records.answer.map(each => `${each.type} ${each.data}`).sort()
    answers.push([rcode, ...data].join(', '))
    if (answers.at(-1) !== answers[0] || (rcode === 'NOERROR' && data.length === 0))
      throw new WrongAnswersError(
        `${SUBJECTS[id]} answers ${type} of ${name} with ${answers.at(-1)}, ${SUBJECTS[subjects[0]!.id]} with ${answers[0]}`,
      )
  }
}

/** Name and type of the first line or message of a query file. */
function firstQuestion(file: string): string[] {
  const octets = readFileSync(file)
  if (!file.endsWith('.packets')) return octets.toString('utf8', 0, octets.indexOf('\n')).split(' ')
  const { question } = decodeMessage(octets.subarray(2, 2 + octets.readUInt16BE(0)))
  return question[0]!.split(' IN ')
}

/** Everything that the row needs; or why it cannot be had. */
async function startAll(scope: Scope, context: Context, row: CorefileRow): Promise<Subject[] | string> {
  const { bench, cores } = context
  const { forwarding, change } = row
  const { forwarders = {}, knotd } = bench
  const isTls = forwarding?.transport === 'tls'
  if (row.load?.transport === 'doh' && programPath('h2load') === undefined)
    return 'h2load, which asks over HTTPS, is not installed: not measured'
  if (isTls && !forwarders.dnsdist) return 'dnsdist, the upstream over TLS, is not installed: not measured'
  if (forwarding?.transport === 'tcp' && !knotd)
    return 'Knot, the upstream over TCP, is not installed: not measured'
  const authority = makeAuthority()
  const certificate = authority.issue(UPSTREAM_NAME)
  await placeObjects(scope, bench.world, row.objects ?? [])
  const upstreamPort = isTls
    ? await startTlsUpstream(scope, forwarders.dnsdist!, cores.load, certificate)
    : knotd
      ? await startWildcard(scope, knotd, cores.load)
      : bench.world.upstreamPort
  const files = {
    'ca.pem': authority.cert,
    'cert.pem': certificate.cert,
    'key.pem': certificate.key,
    ...row.files,
  }
  const subjects: Subject[] = []
  for (const id of context.available(['seamark', 'coredns'])) {
    const subject = await start(scope, id, bench, {
      cores: cores.server,
      upstreamPort,
      change,
      files,
      wrap: SILENCE,
    })
    subjects.push(change.over ? { ...subject, port: subject.dns!.portFor(change.over) } : subject)
  }
  for (const id of forwarding ? FORWARDERS : []) {
    const path = forwarders[id]
    if (path === undefined) continue
    const how = { ...forwarding!, upstreamPort, ca: authority.cert }
    subjects.push(await startForwarder(scope, id, path, cores.server, how))
  }
  return subjects
}
