// The real CoreDNS on the table of Corefiles that it takes or refuses (../setup/judged-corefiles.ts).

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { corefileOf, JUDGED, writeJudgedFiles } from '../setup/judged-corefiles.ts'
import { serverCommand } from './dns-server.ts'
import { freePorts, Program } from './processes.ts'
import { type Suite, same } from './suite.ts'

/** From here on CoreDNS prints what it serves. */
const STARTED = /^CoreDNS-/m
const START_DEADLINE_MS = 20_000

export const suite: Suite = {
  name: 'judged-corefiles',
  async run(context) {
    const folder = context.scope.folder('judged')
    writeJudgedFiles(folder)
    await context.check(`${JUDGED.length} Corefiles`, async () => {
      const verdicts = []
      for (const [i, judged] of JUDGED.entries()) {
        const [port = 0] = await freePorts(1)
        const file = join(folder, `Corefile.${i}`)
        writeFileSync(file, corefileOf(judged, port))
        const program = Program.start(context.scope, folder, `coredns-${i}`, [
          ...serverCommand('coredns'),
          '-conf',
          file,
        ])
        const started = async (): Promise<boolean> => STARTED.test(program.log())
        const verdict = await program.ready(started, START_DEADLINE_MS).then(
          () => 'taken',
          () => 'refused',
        )
        await program.stop('SIGKILL')
        verdicts.push(`${judged.title}: ${verdict}`)
      }
      same(
        verdicts,
        JUDGED.map(({ title, coredns }) => `${title}: ${coredns}`),
        'verdicts',
      )
    })
  },
}
