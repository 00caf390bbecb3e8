// A Corefile and the server that serves it: a folder with its files, free ports by name, the process as often as a test starts
// it, and what it says over HTTP.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { checkPrometheusText } from './prometheus-text.ts'
import { type Seamark, seamarkCommand, spawnSeamark } from './seamark.ts'

const PORT_NAMES = ['dns', 'tls', 'https', 'metrics', 'ready', 'health'] as const
type PortName = (typeof PORT_NAMES)[number]

/** Nothing takes that long, however busy the machine is. */
const HTTP_TIMEOUT_MS = 60_000

/** Ports of 127.0.0.1 that nobody had when the place was made; those that the Corefile does not name stay free. */
export type Ports = Readonly<Record<PortName, number>>

/** The text of a file, or how it is made of the ports and the folder. */
export type FileText = string | ((ports: Ports, folder: string) => string)

/** Files by their path below the folder. */
export type Files = Readonly<Record<string, FileText>>

/** How the process is started. */
export interface StartOptions {
  /** Flags behind `-conf FILE -p PORT`. */
  readonly flags?: readonly string[]
  /** The command in front of its flags, out of the usual one. */
  readonly wrap?: (command: readonly string[]) => readonly string[]
  /** Descriptors that the process has from 3 on. */
  readonly passed?: readonly number[]
  /** What is waited for: the start banner, any answer over DNS, or nothing. */
  readonly until?: 'banner' | 'answer' | 'spawned'
}

/** A Corefile in its folder. */
export interface Place {
  readonly folder: string
  /** The path of the Corefile. */
  readonly file: string
  readonly ports: Ports
  /** Writes the Corefile anew. */
  write(corefile: FileText): void
  /** Starts the process in the folder; rejects with its output when it ends before what is waited for. */
  start(options?: StartOptions): Promise<Seamark>
  /** The status and the text that a path has: `200 OK`. */
  get(port: PortName, path: string): Promise<string>
  /** The text of the metrics. */
  metrics(): Promise<string>
  /** The sum of a metric family's samples that carry these labels. */
  counted(family: string, labels?: Readonly<Record<string, string>>): Promise<number>
}

/** A Corefile that is served. */
export interface Served extends Place {
  readonly server: Seamark
  /** That of DNS. */
  readonly port: number
  /** Writes the Corefile anew, has it read, and resolves when it is served. */
  reload(corefile: FileText): Promise<void>
}

const same = (command: readonly string[]): readonly string[] => command

/** Writes the Corefile and its files (by path) into the folder, which is there; what is started is the caller's to stop. */
export async function placeIn(folder: string, corefile: FileText, files: Files = {}): Promise<Place> {
  const numbers = await Promise.all(PORT_NAMES.map(freePort))
  const ports = Object.fromEntries(PORT_NAMES.map((name, i) => [name, numbers[i]])) as Record<
    PortName,
    number
  >
  const file = join(folder, 'Corefile')
  const write = (path: string, text: FileText): void => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, typeof text === 'string' ? text : text(ports, folder))
  }
  write(file, corefile)
  for (const [name, text] of Object.entries(files)) write(join(folder, name), text)
  const get: Place['get'] = async (port, path) => {
    const signal = AbortSignal.timeout(HTTP_TIMEOUT_MS)
    const response = await fetch(`http://127.0.0.1:${ports[port]}${path}`, { signal })
    return `${response.status} ${await response.text()}`
  }
  const metrics = async (): Promise<string> => (await get('metrics', '/metrics')).slice('200 '.length)
  return {
    folder,
    file,
    ports,
    write: text => write(file, text),
    get,
    metrics,
    async start({ flags = [], wrap = same, passed = [], until = 'banner' }: StartOptions = {}) {
      const server = spawnSeamark(['-conf', file, '-p', String(ports.dns), ...flags], {
        port: ports.dns,
        cwd: folder,
        command: wrap(seamarkCommand),
        passed,
      })
      try {
        if (until === 'banner') await server.printed(/^Seamark-/m)
        else if (until === 'answer') await server.answers(ports.dns)
      } catch (error) {
        await server.stop('SIGKILL')
        throw error
      }
      return server
    },
    async counted(family, labels = {}) {
      const samples = checkPrometheusText(await metrics()).families.get(family)?.samples ?? []
      return samples
        .filter(sample => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0)
    },
  }
}

type OfTest = Pick<Test, 'testdir' | 'testdirName' | 'teardown'>

/** How many places a test has: each has a folder of its own, the second one inside of the first. */
const places = new WeakMap<OfTest, number>()

function folderFor(t: OfTest): string {
  const before = places.get(t) ?? 0
  places.set(t, before + 1)
  if (before === 0) return t.testdir({})
  const folder = join(t.testdirName, `place-${before + 1}`)
  mkdirSync(folder)
  return folder
}

/** The same in a folder of the test; whatever is started ends with the test. */
export async function makePlace(t: OfTest, corefile: FileText, files: Files = {}): Promise<Place> {
  const place = await placeIn(folderFor(t), corefile, files)
  return {
    ...place,
    async start(options) {
      const server = await place.start(options)
      t.teardown(() => server.stop('SIGKILL'))
      return server
    },
  }
}

/** Writes a Corefile into the test's folder and serves it until the test ends. */
export async function serveCorefile(
  t: OfTest,
  corefile: FileText,
  { files, ...options }: StartOptions & { readonly files?: Files } = {},
): Promise<Served> {
  const place = await makePlace(t, corefile, files)
  const server = await place.start(options)
  return {
    ...place,
    server,
    port: place.ports.dns,
    async reload(text) {
      const before = server.output().split('Reloading complete').length
      place.write(text)
      server.child.kill('SIGUSR1')
      await server.printed(new RegExp(`(?:[^]*?Reloading complete){${before}}`))
    },
  }
}
