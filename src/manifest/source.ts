// A folder of manifests as a source of objects, in the place of an API server. It looks at the folder again and again;
// a file is read anew once two looks in a row have found it changed in the same way, so that neither a half-written
// file nor the moment in which an editor swaps two files is taken for an edit. A file that cannot be read or parsed
// leaves what it last held in force.
//
//   look → signatures → changed files → raw objects → kustomize → compile → differences → Sink

import { basename } from 'node:path'
import type { Evidence } from '../objects/evidence.ts'
import { type LabelPredicate, parseSelector } from '../objects/label-selector.ts'
import { KIND_NAMES, type Kind, type Kinds, type Sink } from '../objects/objects.ts'
import type { ObjectOptions } from '../objects/options.ts'
import type { Description, ObjectSource } from '../objects/source.ts'
import { type Clock, systemClock } from '../shared/clock.ts'
import { Polled } from '../shared/polled.ts'
import { AddressBook } from './addresses.ts'
import { type ClusterState, type CompileOptions, compile, EMPTY_STATE } from './compile.ts'
import { describeNames, describeQueries } from './describe.ts'
import { type FolderObjects, folderEvidence } from './evidence.ts'
import { FolderHints, type Hints } from './hints.ts'
import { isKustomization, type Kustomization, parseKustomization } from './kustomization.ts'
import { type Kustomized, kustomize } from './kustomize.ts'
import { formatProblem, type ManifestProblem, ProblemLog, type Report } from './problem.ts'
import { type CustomResource, type ParsedManifest, parseManifest, type RawObject } from './raw.ts'
import { type FolderScan, readManifest, scanFolder } from './read.ts'

/** Which objects are emitted, and what of them. */
export type ManifestOptions = Partial<ObjectOptions>

export interface ManifestSettings {
  readonly directory: string
  /** Where objects are that name no namespace; `default` unless given. */
  readonly namespace?: string | undefined
  readonly sink: Sink
  readonly report: Report
  readonly options?: ManifestOptions
  /** Between two looks at the folder; POLL_MS by default, longer for very large folders. */
  readonly pollMs?: number
  readonly clock?: Clock
  /** Makes what calls `look` early; `fs.watch` by default. */
  readonly hints?: (look: () => void) => Hints
  /** Told after each difference has been emitted, and after the first state. */
  readonly changed?: (before: ClusterState, after: ClusterState) => void
}

/** A selector among the options that cannot be read: the Corefile's reader should have said so before. */
class ManifestOptionError extends Error {
  readonly code = 'bad-selector'
}

/** The default time between two looks. */
export const POLL_MS = 1000
/** A changed file must stay as it is for this long. */
export const SETTLE_MS = 100
/** So many files are looked at in one POLL_MS; twice as many take twice the time. */
const FILES_PER_POLL = 1000
/** Kustomizations that lead from one folder outside to the next. */
const OUTSIDE_ROUNDS_MAX = 16

interface FileState {
  /** What the objects were read from; '' before the first reading. */
  signature: string
  /** A signature seen once, to be believed when it is seen again; GONE when the file is not there. */
  pending: string | undefined
  objects: readonly RawObject[]
  problems: readonly ManifestProblem[]
  custom: readonly CustomResource[]
  kustomization: Kustomization | undefined
  /** Whether the file has been read without an error before. */
  good: boolean
}

const GONE = 'gone'

export class ManifestSource implements ObjectSource {
  readonly evidence: Evidence = folderEvidence(() => this.#folder)
  readonly #settings: ManifestSettings
  readonly #options: CompileOptions
  readonly #polled: Polled
  readonly #hints: Hints
  readonly #log: ProblemLog
  readonly #book = new AddressBook()
  readonly #files = new Map<string, FileState>()
  #compiled: readonly ManifestProblem[] = []
  #folder: FolderObjects = { services: [], pods: [], slices: [] }
  #scanProblems: readonly ManifestProblem[] = []
  #kustomized: Kustomized = { objects: [], problems: [], outside: [] }
  /** Whether files have changed since the last publication. */
  #changed = false
  #state: ClusterState = EMPTY_STATE
  #synced = false
  /** Whether some change has been seen only once. */
  #unsettled = false

  /** Throws ManifestOptionError when a selector among the options cannot be read. */
  constructor(settings: ManifestSettings) {
    const { labels, namespaceLabels, ...rest } = settings.options ?? {}
    this.#settings = settings
    this.#options = { ...rest, labels: selector(labels), namespaceLabels: selector(namespaceLabels) }
    this.#polled = new Polled({
      clock: settings.clock ?? systemClock,
      look: () => this.#look(),
      intervalMs: () => (this.#unsettled ? SETTLE_MS : this.#pollMs()),
      // What is wrong with files the log of problems tells; this is a bug.
      trouble: message =>
        settings.report({ severity: 'error', file: settings.directory, line: 1, column: 1, message }),
    })
    const onHint = (): void => this.#polled.lookIn(SETTLE_MS)
    this.#hints = settings.hints?.(onHint) ?? new FolderHints(onHint)
    this.#log = new ProblemLog(settings.report)
  }

  /** What was emitted so far, by kind and key. */
  get state(): ClusterState {
    return this.#state
  }

  waitingFor(): readonly string[] {
    return this.#synced ? [] : ['waiting for the folder']
  }

  /** A folder is looked at, not followed. */
  status(): readonly [] {
    return []
  }

  problems(): readonly string[] {
    return this.#problemsNow()
      .filter(({ severity }) => severity !== 'info')
      .map(formatProblem)
  }

  describe(zone: string, server: { readonly host: string; readonly port: number }): Description {
    return {
      names: describeNames(this.#state, zone),
      queries: describeQueries(this.#state, zone, server),
    }
  }

  /** Resolves after the first look, even where the folder could not be read yet: it is looked for again. */
  async start(): Promise<void> {
    await this.look()
  }

  /** Resolves when nothing of the source runs any more. */
  async stop(): Promise<void> {
    this.#hints.close()
    await this.#polled.stop()
  }

  /** Looks at the folder now, which the timer and the hints do by themselves; resolves when it is emitted. */
  look(): Promise<void> {
    return this.#polled.look()
  }

  async #look(): Promise<undefined> {
    for (let round = 0; round < OUTSIDE_ROUNDS_MAX; round++) {
      const { outside } = this.#kustomized
      this.#unsettled = await this.#take(await scanFolder(this.#settings.directory, outside))
      // What a kustomization lists elsewhere is looked at before anything is published without it.
      if (this.#kustomized.outside.every(path => outside.includes(path))) break
    }
    this.#publishChanges()
  }

  #pollMs(): number {
    const pollMs = this.#settings.pollMs ?? POLL_MS
    return pollMs * Math.max(1, this.#files.size / FILES_PER_POLL)
  }

  /** Takes what a look found; true when some change has been seen only once. */
  async #take(scan: FolderScan): Promise<boolean> {
    const changed = this.#changedFiles(scan)
    for (const path of changed) await this.#read(path, scan.files.get(path))
    this.#scanProblems = scan.problems
    if (changed.length > 0) this.#kustomized = kustomize(this.#settings.directory, this.#filesByPath())
    const readable = scan.folders.length > 0
    this.#changed ||= changed.length > 0 || (readable && !this.#synced)
    if (readable && !this.#polled.stopped) this.#hints.watch(scan.folders)
    return [...this.#files.values()].some(file => file.pending !== undefined)
  }

  /** The files whose change is believed. */
  #changedFiles(scan: FolderScan): string[] {
    const changed: string[] = []
    const paths = new Set([...this.#files.keys(), ...scan.files.keys()])
    for (const path of paths) {
      const seen = scan.files.get(path) ?? (isBelow(path, scan.unreadable) ? undefined : GONE)
      const file = this.#files.get(path) ?? freshFile()
      this.#files.set(path, file)
      if (seen === undefined || seen === file.signature) {
        file.pending = undefined
      } else if (!this.#synced || file.pending === seen) {
        changed.push(path)
      } else {
        file.pending = seen
      }
    }
    return changed
  }

  async #read(path: string, signature: string | undefined): Promise<void> {
    if (signature === undefined) {
      this.#files.delete(path)
      return
    }
    const file = this.#files.get(path) ?? freshFile()
    file.signature = signature
    file.pending = undefined
    const text = await readManifest(path)
    const parsed = parsedFile(path, text, this.#settings.namespace)
    const broken = parsed.problems.some(problem => problem.severity === 'error')
    if (!broken || !file.good) {
      file.objects = parsed.objects
      file.kustomization = parsed.kustomization
    }
    file.custom = parsed.custom
    file.problems =
      broken && file.good ? parsed.problems.map(p => withNote(p, parsed.problems[0]!)) : parsed.problems
    file.good ||= !broken
  }

  #filesByPath(): Map<string, FileState> {
    return new Map([...this.#files].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #publishChanges(): void {
    if (this.#polled.stopped) return
    if (this.#changed) this.#publish()
    this.#changed = false
    this.#log.update(this.#problemsNow())
  }

  #problemsNow(): readonly ManifestProblem[] {
    const files = [...this.#filesByPath().values()]
    return [
      ...this.#scanProblems,
      ...files.flatMap(file => file.problems),
      ...customResources(files.flatMap(file => file.custom)),
      ...this.#kustomized.problems,
      ...this.#compiled,
    ]
  }

  #publish(): void {
    const before = this.#state
    const { state, problems, ...folder } = compile(this.#kustomized.objects, this.#book, this.#options)
    this.#compiled = problems
    this.#folder = folder
    this.#state = state
    let different = !this.#synced
    for (const kind of KIND_NAMES) {
      if (this.#synced) different = this.#emit(kind, before, state) || different
      else this.#settings.sink.replace(kind, state[kind].values())
    }
    this.#synced = true
    if (different) this.#settings.changed?.(before, state)
  }

  /** Emits the differences of one kind; objects that are equal stay the very same ones. */
  #emit<K extends Kind>(kind: K, before: ClusterState, after: ClusterState): boolean {
    const old: ReadonlyMap<string, Kinds[K]> = before[kind]
    const now: ReadonlyMap<string, Kinds[K]> = after[kind]
    let different = false
    for (const key of old.keys()) {
      if (now.has(key)) continue
      this.#settings.sink.remove(kind, key)
      different = true
    }
    for (const [key, object] of now) {
      const known = old.get(key)
      if (known !== undefined && JSON.stringify(known) === JSON.stringify(object)) continue
      this.#settings.sink.upsert(kind, object)
      different = true
    }
    return different
  }
}

const freshFile = (): FileState => ({
  signature: '',
  pending: undefined,
  objects: [],
  problems: [],
  custom: [],
  kustomization: undefined,
  good: false,
})

/** The first error of a file that was good before says what is served meanwhile. */
const withNote = (problem: ManifestProblem, first: ManifestProblem): ManifestProblem =>
  problem === first
    ? { ...problem, message: `${problem.message}; what the file held before stays served` }
    : problem

function parsedFile(
  path: string,
  text: string | ManifestProblem,
  namespace: string | undefined,
): ParsedManifest & { readonly kustomization: Kustomization | undefined } {
  if (typeof text !== 'string') return { objects: [], problems: [text], custom: [], kustomization: undefined }
  if (!isKustomization(basename(path)))
    return { ...parseManifest(path, text, namespace), kustomization: undefined }
  return { objects: [], custom: [], ...parseKustomization(path, text) }
}

/** One line for all that the folder holds. */
function customResources(found: readonly CustomResource[]): ManifestProblem[] {
  const [first] = found
  if (first === undefined) return []
  const groups = Object.groupBy(found, ({ group }) => group)
  const kinds = Object.entries(groups).map(([group, all = []]) => {
    const names = [...new Set(all.map(({ kind }) => kind))].sort()
    return `${names.join(', ')} (${group})`
  })
  const message = `custom resources are left alone, no cluster DNS looks at them: ${kinds.sort().join('; ')}`
  return [{ severity: 'info', ...first.at, message }]
}

const isBelow = (path: string, folders: readonly string[]): boolean =>
  folders.some(folder => path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`))

function selector(text = ''): LabelPredicate | undefined {
  if (text === '') return undefined
  const parsed = parseSelector(text)
  if (typeof parsed === 'function') return parsed
  throw new ManifestOptionError(`reading the label selector '${text}': ${parsed.problem}`)
}
