// docs/why.md: every outage is made, the command is run, and what it prints, every step of it, is what the document shows. With
// SEAMARK_WRITE_DOCS=1 the document is written anew.

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { OUTAGES, type Outage, type Scene, stage } from '../explain/outages.ts'
import { ROOT } from '../packaging/bundle.ts'
import { seamarkCommand } from '../support/seamark.ts'

const FILE = join(ROOT, 'docs', 'why.md')

/** The command's status and output. */
function run(args: readonly string[]): Promise<{ readonly status: number; readonly output: string }> {
  const [program = '', ...flags] = seamarkCommand
  return new Promise(resolve => {
    execFile(program, [...flags, 'explain', ...args], (error, stdout) =>
      resolve({ status: error ? Number(error.code) : 0, output: stdout }),
    )
  })
}

/** As it would be in a cluster: addresses of this machine, and times, are no part of it. */
const shown = (text: string, { place, upstream, api }: Scene): string =>
  text
    .replaceAll(`${place.folder}/`, '/etc/coredns/')
    .replaceAll(`dns://127.0.0.1:${place.ports.dns}`, 'dns://:53')
    .replace(/127\.0\.0\.1:\d+->/g, '10.244.0.2:40212->')
    .replaceAll(`127.0.0.1:${upstream.port}`, '192.0.2.53:53')
    .replaceAll(new URL(api.url).host, '10.96.0.1:443')
    .replaceAll('127.0.0.1', '10.244.0.2')
    .replace(/\b[\d.]+ ms\b/g, '… ms')
    .replace(/\b\d+ s( ago|:)/g, '… s$1')
    // A reflector tries both in turn.
    .replace(/cannot (?:list|watch) /g, 'cannot watch ')

const commandOf = ({ args, serving }: Outage): string =>
  serving
    ? `kubectl -n kube-system exec deploy/coredns -- seamark explain ${args.join(' ')}`
    : `seamark explain ${args.join(' ')}`

const sectionOf = (number: number, outage: Outage, output: string): string =>
  `## ${number}. ${outage.title}\n\n${outage.what}\n\n    $ ${commandOf(outage)}\n${output
    .trimEnd()
    .split('\n')
    .map(line => (line === '' ? '' : `    ${line}`))
    .join('\n')}\n`

const document = readFileSync(FILE, 'utf8')
const head = document.slice(0, document.indexOf('\n## 1. ') + 1)
const sections: string[] = []

for (const [i, outage] of OUTAGES.entries()) {
  t.test(outage.title, async test => {
    const { scene, flags } = await stage(test, outage)
    const { status, output } = await run([...outage.args, ...flags])
    test.equal(status, outage.status, 'exit status')
    test.match(/^Cause: (.*)$/m.exec(output)?.[1], outage.cause, 'the cause')
    test.match(/^Do: (.*)$/m.exec(output)?.[1], outage.advice, 'what to do')
    const section = sectionOf(i + 1, outage, shown(output, scene))
    sections.push(section)
    if (process.env.SEAMARK_WRITE_DOCS !== undefined) return
    const shownThere = `## ${document
      .slice(document.indexOf(`## ${i + 1}. `) + 3)
      .split('\n## ', 1)[0]!
      .trimEnd()}\n`
    test.equal(shownThere, section, 'docs/why.md shows all of it; SEAMARK_WRITE_DOCS=1 writes what it prints')
  })
}

t.test('the document has these and no others', async test => {
  test.equal(document.match(/^## \d+\. /gm)?.length, OUTAGES.length)
  if (process.env.SEAMARK_WRITE_DOCS !== undefined) writeFileSync(FILE, `${head}${sections.join('\n')}`)
})
