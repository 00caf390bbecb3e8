// A real Prometheus: scrapes servers every second, evaluates rules, and is asked by its HTTP interface.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { freePorts, Program, type Scope } from './processes.ts'
import { programPath } from './programs.ts'

const READY_DEADLINE_MS = 30_000

/** What is scraped: a port on loopback, under a job's name. */
export interface Target {
  readonly job: string
  readonly port: number
}

/** One series of an answer, at one moment. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

/** An expression was refused. */
export class QueryError extends Error {
  readonly code = 'bad-query'
}

/** A running one. */
export class Prometheus {
  readonly #port: number

  private constructor(port: number) {
    this.#port = port
  }

  /** Starts one in `scope` that scrapes `targets` and evaluates the groups of `ruleFile`. */
  static async start(scope: Scope, targets: readonly Target[], ruleFile: string): Promise<Prometheus> {
    const folder = scope.folder('prometheus')
    const [port] = (await freePorts(1)) as [number]
    const file = join(folder, 'prometheus.yml')
    writeFileSync(
      file,
      stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [ruleFile],
        scrape_configs: targets.map(({ job, port }) => ({
          job_name: job,
          static_configs: [
            { targets: [`127.0.0.1:${port}`], labels: { pod: `${job}-0`, k8s_app: 'kube-dns' } },
          ],
        })),
      }),
    )
    const flags = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ]
    const program = Program.start(scope, folder, 'prometheus', [programPath('prometheus'), ...flags], {
      endSignal: 'SIGKILL',
    })
    await program.ready(
      async () =>
        (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok || Promise.reject(new Error('not ready')),
      READY_DEADLINE_MS,
    )
    return new Prometheus(port)
  }

  /** The series that an expression gives now. Throws QueryError. */
  async query(expression: string): Promise<Series[]> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expression }),
    })
    const { status, error, data } = (await response.json()) as {
      status: string
      error?: string
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] }
    }
    if (status !== 'success' || !data) throw new QueryError(`${expression}: ${error}`)
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
  }
}
