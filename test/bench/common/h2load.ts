// h2load (nghttp2) as a function: one question over HTTPS, again and again, on connections with several requests under way.
// dnsperf takes one reply of what it reads from a connection of HTTP/2 at once, and then waits.

import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { encodeQuestion } from '../../support/dns-question.ts'
import type { LoadOptions, LoadResult } from './dnsperf.ts'

const run = promisify(execFile)

/** The words of the command line; `message` is a file with a DNS message. */
export function h2loadCommand(
  { port, core, seconds = 1, clients = 50, outstanding = 400 }: LoadOptions,
  message: string,
): string[] {
  const words = ['taskset', '-c', core, 'h2load', '-D', String(Math.ceil(seconds)), '-c', String(clients)]
  words.push('-m', String(Math.max(1, Math.round(outstanding / clients))), '-d', message)
  words.push('-H', 'content-type: application/dns-message', `https://127.0.0.1:${port}/dns-query`)
  return words
}

/**
 * Runs a load of the first question in the file to its end; what is not a 200 is lost. The replies are not read: who measures has
 * compared what the servers say to this question. Rejects where h2load fails.
 */
export async function h2load(options: LoadOptions): Promise<LoadResult> {
  const text = readFileSync(options.file, 'utf8')
  const [name = '', type = 'A'] = text.slice(0, text.indexOf('\n')).split(' ')
  const message = `${options.file}.message`
  writeFileSync(message, encodeQuestion({ name, type }, 0))
  const [program, ...words] = h2loadCommand(options, message)
  const { stdout } = await run(program!, words)
  return readH2load(stdout)
}

/** What h2load prints at its end. Throws a TypeError on other text. */
export function readH2load(text: string): LoadResult {
  const finished = /finished in ([\d.]+)(ms|s), ([\d.]+) req\/s/.exec(text)
  const requests = /requests: \d+ total, (\d+) started, (\d+) done/.exec(text)
  const codes = /status codes: (\d+) 2xx/.exec(text)
  if (!finished || !requests || !codes) throw new TypeError(`h2load printed no statistics:\n${text}`)
  const completed = Number(codes[1])
  return {
    sent: Number(requests[1]),
    completed,
    lost: Number(requests[2]) - completed,
    seconds: Number(finished[1]) / (finished[2] === 'ms' ? 1000 : 1),
    perSecond: Number(finished[3]),
    rcodes: { NOERROR: completed },
    reconnections: 0,
    latencies: undefined,
  }
}
