import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { BUFFER_MAX_OCTETS, descriptorSink, LogOutput, type Sink } from '../../src/observe/log-output.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

type Done = Parameters<Sink>[1]

/** A sink that a test serves by hand. */
function manualSink(): { sink: Sink; calls: { text: string; done: Done }[] } {
  const calls: { text: string; done: Done }[] = []
  return { calls, sink: (octets, done) => calls.push({ text: Buffer.from(octets).toString(), done }) }
}

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

t.test('one write at a time, what waits goes together', async t => {
  const { sink, calls } = manualSink()
  const output = new LogOutput(sink, new VirtualClock())
  for (const text of ['a\n', 'b\n', 'c\n']) t.ok(output.write(text))
  t.same(
    calls.map(({ text }) => text),
    ['a\n'],
  )
  calls[0]!.done(null, 2)
  t.same(
    calls.map(({ text }) => text),
    ['a\n', 'b\nc\n'],
  )
  calls[1]!.done(null, 1)
  t.equal(calls[2]!.text, '\nc\n', 'what was not taken follows')
  const flushed = output.flush(10_000)
  calls[2]!.done(null, 3)
  t.ok(await flushed)
  t.ok(output.idle)
})

t.test('a full pipe is tried again', async t => {
  const { sink, calls } = manualSink()
  const clock = new VirtualClock()
  const output = new LogOutput(sink, clock)
  output.write('a\n')
  calls[0]!.done(failure('EAGAIN'), 0)
  output.write('b\n')
  t.equal(calls.length, 1, 'not at once')
  clock.advance(20)
  t.equal(calls[1]!.text, 'a\nb\n')
  calls[1]!.done(failure('ENOSPC'), 0)
  clock.advance(20)
  t.equal(calls[2]!.text, 'a\nb\n', 'nor is a full disk the end')
})

t.test('a reader that is gone is left alone', async t => {
  const { sink, calls } = manualSink()
  const output = new LogOutput(sink, new VirtualClock())
  output.write('a\n')
  const flushed = output.flush(10_000)
  calls[0]!.done(failure('EPIPE'), 0)
  t.equal(await flushed, false)
  t.equal(output.write('b\n'), false)
  t.equal(calls.length, 1)
})

t.test('the buffer has a bound', async t => {
  const { sink, calls } = manualSink()
  const output = new LogOutput(sink, new VirtualClock())
  const line = `${'x'.repeat(1023)}\n`
  let taken = 0
  while (output.write(line)) taken++
  t.equal(taken, BUFFER_MAX_OCTETS / 1024)
  calls[0]!.done(null, 1024)
  t.ok(output.write(line), 'there is room again')
  t.ok(calls[1]!.text.length <= 65_536, 'writes have a bound too')
})

t.test('flush gives up after its time', async t => {
  const { sink } = manualSink()
  const output = new LogOutput(sink, new VirtualClock())
  output.write('a\n')
  t.equal(await output.flush(1), false)
})

t.test(
  'a pipe whose reader sleeps stops nobody',
  { skip: process.platform !== 'linux' && 'pipes of Linux' },
  async t => {
    const path = join(t.testdir(), 'pipe')
    execFileSync('mkfifo', [path])
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const descriptor = openSync(path, constants.O_WRONLY)
    const { sink, close } = descriptorSink(descriptor)
    const output = new LogOutput(sink, systemClock)
    const line = `${'x'.repeat(4095)}\n`
    let taken = 0
    // More than a pipe holds, all in one turn of the event loop, and then some turns.
    for (let i = 0; i < 10; i++) {
      while (output.write(line)) taken++
      await new Promise(resolve => setImmediate(resolve))
    }
    t.ok(taken >= 256, `${taken} lines taken`)
    t.equal(output.write(line), false, 'then refused')
    let read = 0
    const buffer = Buffer.alloc(65_536)
    await until('all was read', () => {
      try {
        read += readSync(reader, buffer)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      }
      return read === taken * 4096
    })
    t.ok(await output.flush(1000))
    close()
    closeSync(descriptor)
    closeSync(reader)
  },
)

t.test('a file', async t => {
  const path = join(t.testdir(), 'log')
  const descriptor = openSync(path, 'a')
  const { sink, close } = descriptorSink(descriptor)
  const output = new LogOutput(sink, systemClock)
  output.write('a\n')
  output.write('b\n')
  t.ok(await output.flush(5000))
  close()
  closeSync(descriptor)
  const check = openSync(path, 'r')
  const buffer = Buffer.alloc(16)
  t.equal(buffer.toString('utf8', 0, readSync(check, buffer)), 'a\nb\n')
  closeSync(check)
})
