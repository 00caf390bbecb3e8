// What CoreDNS takes is taken, what it refuses is refused; where Seamark judges otherwise, the table says why.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { formatProblem } from '../../src/corefile/problem.ts'
import { SERVED_WORDS } from '../../src/plugin/registry.ts'
import { readConfiguration } from '../../src/setup/configuration.ts'
import { lookUpHosts } from '../../src/setup/hosts.ts'
import { corefileOf, JUDGED, WORDS_TWICE, writeJudgedFiles } from './judged-corefiles.ts'

/** Words that CoreDNS lacks. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  'admin',
  'ede',
  'edns_pass',
  'ipv4',
  'ipv6',
  'k8s_records',
  'policy',
  'ratelimit',
  'status',
  'stubdomains',
])

t.test('every word that CoreDNS has, too, is asked for', async t => {
  t.same([...WORDS_TWICE].sort(), SERVED_WORDS.filter(word => !OWN_WORDS.has(word)).sort())
})

t.test('judged as by CoreDNS', async t => {
  const folder = t.testdir({})
  writeJudgedFiles(folder)
  const file = join(folder, 'Corefile')
  for (const judged of JUDGED) {
    writeFileSync(file, corefileOf(judged, 53))
    const { errors, problems } = await lookUpHosts(readConfiguration({ file, port: 53 }))
    const verdict = errors === 0 ? 'taken' : 'refused'
    const isSame = verdict === judged.coredns
    t.equal(
      isSame,
      judged.otherwise === undefined,
      `${judged.title}: ${problems.map(formatProblem).join(' | ')}`,
    )
  }
})
