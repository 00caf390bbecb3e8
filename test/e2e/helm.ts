// The real Helm on the chart of this project: lint, template and what changes a cluster, with its files in one folder.

import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type KubeObject, readYaml } from './api-client.ts'
import type { Scope } from './processes.ts'
import { programPath } from './programs.ts'

const TIMEOUT_MS = 120_000
const OUTPUT_MAX = 16 << 20

/** The chart. */
export const CHART = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'charts', 'seamark')

/** Values in place of a file of them, or a file's path. */
export type Values = string | Readonly<Record<string, unknown>>

/** Where and as what a chart is rendered or installed. */
export interface Release {
  readonly name?: string
  readonly namespace?: string
  readonly values?: readonly Values[]
  /** More arguments. */
  readonly flags?: readonly string[]
}

/** A command ended with another status than 0; `output` is all that it wrote. */
export class HelmError extends Error {
  readonly code = 'helm-failed'
  readonly output: string

  constructor(args: readonly string[], output: string) {
    super(`helm ${args.join(' ')}: ${output.trim()}`)
    this.name = 'HelmError'
    this.output = output
  }
}

/** Helm with a home of its own. */
export class Helm {
  readonly #folder: string
  readonly #kubeconfigFile: string
  #files = 0

  constructor(scope: Scope, kubeconfigFile: string) {
    this.#folder = scope.folder('helm')
    this.#kubeconfigFile = kubeconfigFile
  }

  /** Runs a command and gives its standard output. Throws HelmError. */
  run(args: readonly string[]): Promise<string> {
    const home = (name: string): string => {
      const path = join(this.#folder, name)
      mkdirSync(path, { recursive: true })
      return path
    }
    const env = {
      PATH: process.env.PATH,
      HOME: this.#folder,
      KUBECONFIG: this.#kubeconfigFile,
      HELM_CACHE_HOME: home('cache'),
      HELM_CONFIG_HOME: home('config'),
      HELM_DATA_HOME: home('data'),
    }
    return new Promise((resolve, reject) => {
      execFile(
        programPath('helm'),
        args,
        { env, timeout: TIMEOUT_MS, maxBuffer: OUTPUT_MAX },
        (failed, stdout, stderr) =>
          failed ? reject(new HelmError(args, `${stdout}${stderr}`)) : resolve(stdout),
      )
    })
  }

  /** The arguments that hand over values; what is no file is written into one. */
  valuesArguments(values: readonly Values[] = []): string[] {
    return values.flatMap(each => {
      if (typeof each === 'string') return ['--values', each]
      const file = join(this.#folder, `values-${this.#files++}.json`)
      writeFileSync(file, JSON.stringify(each))
      return ['--values', file]
    })
  }

  /** Throws HelmError for values and templates that Helm finds wrong; warnings count. */
  async lint(values: readonly Values[] = []): Promise<void> {
    await this.run(['lint', '--strict', CHART, ...this.valuesArguments(values)])
  }

  /** The objects that a release would have. */
  async template({
    name = 'release-name',
    namespace = 'default',
    values = [],
    flags = [],
  }: Release): Promise<KubeObject[]> {
    const wanted = ['--namespace', namespace, ...this.valuesArguments(values), ...flags]
    return readYaml(await this.run(['template', name, CHART, ...wanted]))
  }
}
