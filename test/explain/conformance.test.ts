// What `seamark explain` says of a name is what the server answers: for every case of the conformance suites, both are asked of
// the same process, one at its administration socket, the other over DNS.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { askServer } from '../../src/explain/ask-server.ts'
import type { Report } from '../../src/explain/report.ts'
import { ask } from '../conformance/ask.ts'
import type { Got } from '../conformance/compare.ts'
import { buildCorefile, type Group, readSuite } from '../conformance/run.ts'
import { serveCorefile } from '../support/served-corefile.ts'

/** Records as a sorted list without their order: `loadbalance` may turn it. */
const sorted = (records: readonly { name: string; type: string; data: string }[]): string[] =>
  records.map(({ name, type, data }) => `${name.toLowerCase()} ${type} ${data.toLowerCase()}`).sort()

/** By the DNS reply alone. */
const resolves = ({ rcode, answer }: Got, type: string): boolean =>
  rcode === 'NOERROR' && answer.some(record => record.type === type || type === 'ANY' || type === 'AXFR')

async function compare(test: Test, folder: string, { config, cases }: Group): Promise<number> {
  const place = mkdtempSync(join(tmpdir(), 'seamark-explain-'))
  test.teardown(() => rmSync(place, { recursive: true }))
  const path = join(place, 'admin.sock')
  const corefile = await buildCorefile(test, config, `  admin ${path}\n`)
  const served = await serveCorefile(test, corefile, {
    files: { 'manifests/objects.yaml': readFileSync(join(folder, 'objects.yaml'), 'utf8') },
  })
  for (const one of cases) {
    const { name, type, tcp } = one.q
    const absolute = name.endsWith('.') ? name : `${name}.`
    const got = await ask(served.port, one, tcp === true || type === 'AXFR')
    const answer = await askServer({ path }, { command: 'explain', name: absolute, type, from: '127.0.0.1' })
    if (answer instanceof Error) throw answer
    const { status, tried, cause, advice } = answer as unknown as Report
    const title = `${one.id} ${name} ${type}`
    const said = tried.at(-1)?.transcript
    test.equal(status, resolves(got, type) ? 0 : 1, `${title}: the exit status`)
    test.equal(said?.rcode, got.rcode, `${title}: the code`)
    if (said?.outcome === 'reply' && !said.truncated)
      test.same(sorted(said.answer), sorted(got.answer), `${title}: the records`)
    test.match(cause, /^\S.*[^.]\.$/, `${title}: one sentence of a cause`)
    test.match(advice, /^\S.*\.$/, `${title}: one sentence of what to do`)
  }
  return cases.length
}

for (const [suite, count] of [
  ['seed', 57],
  ['dns-spec', 64],
  ['coredns-handler', 60],
] as const) {
  t.test(suite, async test => {
    const { folder, groups } = readSuite(suite)
    let asked = 0
    for (const [name, group] of groups) {
      await test.test(name, async inner => {
        asked += await compare(inner, folder, group)
      })
    }
    test.equal(asked, count, 'all of them')
  })
}
