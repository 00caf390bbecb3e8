// What a folder with kustomizations holds, as `kubectl apply -k` would have it: a kustomization says which files and folders
// count, renames them and puts them into a namespace. One in the folder itself speaks for all of it; those below speak for their
// own folders, and what lies beside them counts as it is. A base that another one lists is part of that one alone; it may lie
// outside of the folder.

import { basename, dirname, isAbsolute, join, normalize, relative } from 'node:path'
import { quote, textAt } from '../objects/field.ts'
import { isDnsLabel, isDnsSubdomain } from '../objects/slim.ts'
import { type At, isKustomization, type Kustomization } from './kustomization.ts'
import type { ManifestProblem } from './problem.ts'
import { isClusterWide, type RawObject, titleOf, withMetadata } from './raw.ts'

/** A file as it was read last. */
export interface ReadFile {
  readonly objects: readonly RawObject[]
  readonly kustomization?: Kustomization | undefined
}

/** What the files stand for. */
export interface Kustomized {
  readonly objects: readonly RawObject[]
  readonly problems: readonly ManifestProblem[]
  /** Files and folders outside of the folder that are listed, and must be looked at, too. */
  readonly outside: readonly string[]
}

/** Kustomizations within kustomizations. */
const DEPTH_MAX = 16

/** Applies the kustomizations among `files`, which are given by their paths, sorted; `directory` is the folder itself. */
export function kustomize(directory: string, files: ReadonlyMap<string, ReadFile>): Kustomized {
  return new Builder(directory, files).build()
}

class Builder {
  readonly #directory: string
  readonly #files: ReadonlyMap<string, ReadFile>
  /** By their folders. */
  readonly #kustomizations = new Map<string, Kustomization>()
  readonly #problems: ManifestProblem[] = []
  readonly #outside = new Set<string>()

  constructor(directory: string, files: ReadonlyMap<string, ReadFile>) {
    this.#directory = directory
    this.#files = files
    for (const [path, { kustomization }] of files) {
      if (kustomization && !this.#kustomizations.has(dirname(path)))
        this.#kustomizations.set(dirname(path), kustomization)
    }
  }

  build(): Kustomized {
    const objects: RawObject[] = []
    for (const [path, file] of this.#files) {
      if (!isWithin(path, this.#directory) || this.#isSpokenFor(path)) continue
      objects.push(...file.objects)
    }
    for (const folder of this.#roots()) objects.push(...this.#render(folder, []))
    return { objects, problems: this.#problems, outside: [...this.#outside] }
  }

  /** Whether a file is left to the kustomization of its folder, or of one above it. */
  #isSpokenFor(path: string): boolean {
    for (let folder = dirname(path); isWithin(folder, this.#directory); folder = dirname(folder)) {
      if (this.#kustomizations.has(folder)) return true
      if (dirname(folder) === folder) return false
    }
    return false
  }

  /** The kustomizations that no other one lists. */
  #roots(): readonly string[] {
    if (this.#kustomizations.has(this.#directory)) return [this.#directory]
    const listed = new Set(
      [...this.#kustomizations].flatMap(([folder, { resources }]) =>
        resources.map(({ path }) => fullPath(folder, path)),
      ),
    )
    return [...this.#kustomizations.keys()].filter(
      folder => isWithin(folder, this.#directory) && !listed.has(folder),
    )
  }

  #render(folder: string, above: readonly string[]): RawObject[] {
    const kustomization = this.#kustomizations.get(folder)!
    const objects = kustomization.resources.flatMap(({ path, at }) => this.#resource(folder, path, at, above))
    const services = new Set(objects.filter(({ kind }) => kind === 'Service').map(({ name }) => name))
    return objects.flatMap(object => this.#renamed(object, kustomization, services))
  }

  #resource(folder: string, path: string, at: At, above: readonly string[]): readonly RawObject[] {
    if (/^[\w+.-]+:\/\/|^github\.com\/|^git@/.test(path))
      return this.#say(at, `${quote(path)} is not fetched`)
    const full = fullPath(folder, path)
    // Before it is looked at, nothing of it is among our files.
    if (!isWithin(full, this.#directory)) this.#outside.add(full)
    const file = this.#files.get(full)
    if (file && !isKustomization(basename(full))) return file.objects
    if (this.#kustomizations.has(full)) {
      if (full === folder || above.includes(full) || above.length >= DEPTH_MAX)
        return this.#say(at, `${quote(path)} lists this kustomization itself`)
      return this.#render(full, [...above, folder])
    }
    return this.#say(at, `${quote(path)} is neither a file nor a folder with a kustomization`)
  }

  /** An object under its new name; nothing of one whose name cannot be. */
  #renamed(object: RawObject, kustomization: Kustomization, services: ReadonlySet<string>): RawObject[] {
    const { namespace, namePrefix, nameSuffix } = kustomization
    const renamed = (name: string): string => `${namePrefix}${name}${nameSuffix}`.toLowerCase()
    const isNamespace = object.kind === 'Namespace'
    const name = isNamespace ? namespace || object.name : renamed(object.name)
    const valid = object.kind === 'Service' ? isDnsLabel : isDnsSubdomain
    if (!valid(name)) {
      const { line, column } = object.place.at(['metadata', 'name'])
      const message = `${quote(name)} is no valid name of a ${object.kind}: ${titleOf(object)} is left out`
      this.#problems.push({ severity: 'error', file: object.place.file, line, column, message })
      return []
    }
    const own = isClusterWide(object.kind) ? '' : namespace || object.namespace
    const moved = withMetadata(object, name, own)
    const serviceName = textAt(object.raw, 'spec', 'serviceName')
    if (object.kind !== 'StatefulSet' || !services.has(serviceName)) return [moved]
    const spec = { ...(object.raw.spec as object), serviceName: renamed(serviceName) }
    return [{ ...moved, raw: { ...moved.raw, spec } }]
  }

  #say(at: At, message: string): readonly RawObject[] {
    this.#problems.push({ severity: 'error', ...at, message: `${message}: not served` })
    return []
  }
}

/** The path that a kustomization means, without a slash at its end. */
const fullPath = (folder: string, path: string): string =>
  (isAbsolute(path) ? normalize(path) : join(folder, path)).replace(/(?<=.)\/+$/, '')

/** Whether a path is a folder, or lies below it. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way))
}
