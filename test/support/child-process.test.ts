// A program that a test started ends with the test's process, however that ends.

import { join } from 'node:path'
import t from 'tap'
import { spawnChild } from './child-process.ts'
import { until } from './until.ts'

/** A test's process that starts a shell which starts another program, says the numbers of both, and stays. */
const PARENT = `import { spawnChild } from ${JSON.stringify(join(import.meta.dirname, 'child-process.ts'))}
const child = spawnChild('sh', ['-c', 'sleep 600 & echo $$ $!; wait'])
child.stdout.once('data', numbers => process.stdout.write(numbers))
process.stdin.resume()
`

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

async function startParent() {
  const parent = spawnChild(process.execPath, ['--input-type=module-typescript', '-e', PARENT])
  let output = ''
  for (const stream of [parent.stdout, parent.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  await until('two numbers', () => /^\d+ \d+\n$/.test(output))
  const pids = output.split(' ').map(Number)
  return { parent, pids }
}

const signals = ['SIGKILL', 'SIGALRM', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const
t.jobs = signals.length
for (const signal of signals) {
  t.test(`a test's process that ends by ${signal}`, { buffered: true }, async t => {
    const { parent, pids } = await startParent()
    for (const pid of pids) t.ok(runs(pid), 'runs')
    parent.kill(signal)
    await until('the end of both', () => !pids.some(runs))
    t.pass('both end')
    t.equal(parent.signalCode, signal)
  })
}
