// One server with one case: its folder, ports, upstreams and process, on one core (one serving thread, one cache), and what
// can be read of it from outside.

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { programPath as builtPath } from '../e2e/programs.ts'
import { makeAuthority } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { type Seamark, seamarkCommand, spawnSeamark } from '../support/seamark.ts'
import type { Case, Mask, Question } from './cases.ts'
import { Client } from './client.ts'
import { type Answer, answerOf, maskText } from './normalise.ts'
import { ScriptedUpstream } from './upstream.ts'

export type ServerKind = 'seamark' | 'coredns'

const PORTS = ['port', 'port2', 'port3', 'metrics', 'health', 'ready', 'up1', 'up2', 'up3', 'up4'] as const
type PortName = (typeof PORTS)[number]

const BANNER = /^(?:Seamark|CoreDNS)-/m
const HTTP_TIMEOUT_MS = 5000
/** Of a page of HTTP. */
const SHOWN_OCTETS = 200
/** Questions of `loop`, in what upstreams saw. */
const LOOP_QUESTION = /^[0-9a-f]{6,}\.[0-9a-f]{6,}\.\S* HINFO /

const COMMANDS: Readonly<Record<ServerKind, readonly string[]>> = {
  seamark: seamarkCommand,
  coredns: [builtPath('coredns')],
}

/** Of the local addresses that a case or a question needs, one that this machine has not; undefined where it has all. */
export function missingAddress(needed: readonly string[]): string | undefined {
  const local = Object.values(networkInterfaces()).flatMap(each => (each ?? []).map(({ address }) => address))
  return needed.find(address => !address.startsWith('127.') && !local.includes(address))
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const portPattern = (port: number): string => `(?<![\\d.])${port}(?!\\d)`

/** A server on a case, from `prepare` to `end`. */
export class CaseServer {
  readonly #case: Case
  readonly #folder: string
  readonly #ports: ReadonlyMap<PortName, number>
  readonly #upstreams: readonly (ScriptedUpstream | undefined)[]
  readonly #client = new Client()
  readonly #clientPorts = new Set<number>()
  readonly #launch: () => Seamark
  #process: Seamark | undefined
  /** What is not the same from run to run. */
  readonly #hidden: readonly Mask[]

  private constructor(
    one: Case,
    folder: string,
    ports: ReadonlyMap<PortName, number>,
    upstreams: readonly (ScriptedUpstream | undefined)[],
    launch: () => Seamark,
  ) {
    this.#case = one
    this.#folder = folder
    this.#ports = ports
    this.#upstreams = upstreams
    this.#launch = launch
    const named = [...ports].map(([name, port]): Mask => [portPattern(port), `{${name}}`])
    this.#hidden = [[quoted(folder), '{dir}'], ...named]
  }

  /** Makes its folder and its upstreams; the server will be on the core of that number. */
  static async prepare(kind: ServerKind, one: Case, core: number): Promise<CaseServer> {
    const folder = mkdtempSync(join(tmpdir(), 'seamark-parity-'))
    const ports = new Map<PortName, number>()
    for (const name of PORTS) ports.set(name, await freePort())
    const fill = filling(ports, folder)
    for (const [name, text] of Object.entries(one.files)) writeInto(folder, name, fill(text))
    const authority = one.certificate ? makeAuthority() : undefined
    const certificate = authority?.issue('localhost')
    if (authority && certificate) {
      writeInto(folder, 'ca.pem', authority.cert)
      writeInto(folder, 'cert.pem', certificate.cert)
      writeInto(folder, 'key.pem', certificate.key)
    }
    const upstreams: (ScriptedUpstream | undefined)[] = []
    for (const [i, script] of one.upstream.entries())
      upstreams.push(
        script.down
          ? undefined
          : await ScriptedUpstream.start(script, ports.get(`up${i + 1}` as PortName)!, certificate),
      )
    writeInto(folder, 'Corefile', fill(one.corefile))
    const env = Object.entries(one.env).map(([name, value]) => `${name}=${fill(value)}`)
    const flags = ['-conf', join(folder, 'Corefile'), '-dns.port', `${ports.get('port')}`]
    const command = ['env', ...env, 'taskset', '-c', `${core}`, ...COMMANDS[kind]]
    return new CaseServer(one, folder, ports, upstreams, () => spawnSeamark(flags, { cwd: folder, command }))
  }

  /** Starts the server and tells what came of it: `ok` when it serves, otherwise how it ended. */
  async start(): Promise<string> {
    const server = this.#launch()
    this.#process = server
    try {
      await server.printed(BANNER)
      return 'ok'
    } catch (error) {
      if (server.child.exitCode === null) throw error
      return `stopped with status ${server.child.exitCode}`
    }
  }

  /** What it printed so far. */
  get output(): string {
    return this.#process?.output() ?? ''
  }

  /** What happens before a question. */
  act({ write, remove, signal }: Question): void {
    const fill = filling(this.#ports, this.#folder)
    for (const [name, text] of Object.entries(write)) {
      writeInto(this.#folder, `${name}.new`, fill(text))
      renameSync(join(this.#folder, `${name}.new`), join(this.#folder, name))
    }
    for (const name of remove) rmSync(join(this.#folder, name))
    if (signal) this.#process?.child.kill(signal)
  }

  /** Asks the question, as often as it says, and gives the last answer. */
  async ask(question: Question, id: number): Promise<Answer> {
    let answer: Answer = { outcome: 'not asked' }
    for (let left = question.times; left > 0; left--) {
      const { reply, clientPort } = await this.#client.ask(question, this.#ports.get(question.to)!, id)
      this.#clientPorts.add(clientPort)
      const masks: Mask[] = [[portPattern(clientPort), '{client}'], ...this.#hidden, ...question.masks]
      answer = answerOf(reply, { opcode: question.opcode, masks, ede: this.#case.ede })
    }
    return answer
  }

  /** Forgets what the upstreams were asked. */
  forget(): void {
    for (const upstream of this.#upstreams) if (upstream) upstream.seen = []
  }

  /** Has this called after each question to an upstream. */
  onSeen(tell: () => void): void {
    for (const upstream of this.#upstreams) if (upstream) upstream.onSeen = tell
  }

  /** What the upstreams were asked since `forget`, `upN` in front, in the question's words; what comes again and again once. */
  seen({ seen, lingerSeconds, masks }: Question): string[] {
    const lines = this.#upstreams.flatMap((upstream, i) =>
      (upstream?.seen ?? [])
        .filter(({ q }) => !LOOP_QUESTION.test(q))
        .map(each => {
          const words = new Map(Object.entries(each))
          return `up${i + 1} ${seen.map(word => `${word}=${words.get(word)}`).join(' ')}`
        }),
    )
    const all = this.#mask(lines, masks)
    return lingerSeconds > 0 ? [...new Set(all)].sort() : all
  }

  /** Lines of the log that the case compares, sorted. */
  log(): string[] {
    const pattern = new RegExp(this.#case.log!)
    const lines = this.output.split('\n').filter(line => pattern.test(line))
    const durations: Mask = ['\\b\\d+\\.\\d+s\\b|\\b\\d+(\\.\\d+)?(µs|ms|ns)\\b', '{duration}']
    return this.#mask(lines, [...this.#case.masks, durations]).sort()
  }

  /** Samples that the case compares and that have counted something, labels and lines sorted. */
  async metrics(): Promise<string[]> {
    const patterns = this.#case.metrics!.map(pattern => new RegExp(pattern))
    const text = await (await this.#get('metrics/metrics')).text()
    const lines = text
      .split('\n')
      .filter(line => !line.startsWith('#') && !line.endsWith(' 0') && patterns.some(each => each.test(line)))
      .map(line =>
        line.replace(/\{(.*)\}/, (_, labels: string) => {
          const all = labels.match(/\w+="(?:[^"\\]|\\.)*"/g) ?? []
          return `{${all.sort().join(',')}}`
        }),
      )
    return this.#mask(lines, this.#case.masks).sort()
  }

  /** Status, type and beginning of each page. */
  async pages(): Promise<string[]> {
    const pages: string[] = []
    for (const page of this.#case.http!) {
      const response = await this.#get(page)
      const body = JSON.stringify((await response.text()).slice(0, SHOWN_OCTETS))
      pages.push(`${page}: ${response.status} ${response.headers.get('content-type')} ${body}`)
    }
    return this.#mask(pages, this.#case.masks)
  }

  /** `PORT/PATH` */
  #get(page: string): Promise<Response> {
    const [port = '', ...path] = page.split('/')
    const url = `http://127.0.0.1:${this.#ports.get(port as PortName)}/${path.join('/')}`
    return fetch(url, { signal: AbortSignal.timeout(HTTP_TIMEOUT_MS) })
  }

  #mask(lines: readonly string[], masks: readonly Mask[]): string[] {
    if (lines.length === 0) return []
    const clients = [...this.#clientPorts].map((port): Mask => [portPattern(port), '{client}'])
    return maskText(lines.join('\n'), [...this.#hidden, ...clients, ...masks]).split('\n')
  }

  /** Ends everything and gives the exit status that the server had on SIGTERM, or before. */
  async end(keepFolder = false): Promise<number | null> {
    try {
      return (await this.#process?.stop()) ?? null
    } finally {
      this.#process?.child.kill('SIGKILL')
      this.#client.close()
      for (const upstream of this.#upstreams) await upstream?.close()
      if (!keepFolder) rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

function writeInto(folder: string, name: string, text: string): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** Puts ports and the folder into the place of {port}, {up1}, {dir}; other braces are left as they are. */
function filling(ports: ReadonlyMap<PortName, number>, folder: string): (text: string) => string {
  return text =>
    text.replace(/\{(\w+)\}/g, (whole, name: string) =>
      name === 'dir' ? folder : `${ports.get(name as PortName) ?? whole}`,
    )
}
