// What an operator types with `kubectl exec`, in a container of the image: explain, tap, check and diff, by their programs, by
// bin/kubectl-seamark, and as docs/migrate.md prints them, with a kubectl that ends up in the container.

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '../../src/explain/report.ts'
import type { TapLine } from '../../src/observe/tap.ts'
import { commandsOf, documentNamed } from '../documents/document.ts'
import { query } from '../support/dns-client.ts'
import type { Container } from './container.ts'
import { run } from './namespaces.ts'
import { eventually, Program } from './processes.ts'
import { isBuilt, programPath } from './programs.ts'
import { type Context, holds, same } from './suite.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const END_DEADLINE_MS = 60_000
const DIFFERENT = 1
const NAME = 'kubernetes.default.svc.cluster.local'

/** A shell in a folder where `kubectl … exec … -- WORDS` runs WORDS in the container. */
class OperatorShell {
  readonly folder: string
  readonly #container: Container
  readonly #env: NodeJS.ProcessEnv

  constructor(container: Container, folder: string) {
    this.folder = folder
    this.#container = container
    const quoted = container.execCommand([]).map(word => `'${word}'`)
    const kubectl = `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec ${quoted.join(' ')} "$@"\n`
    writeFileSync(join(folder, 'kubectl'), kubectl, { mode: 0o755 })
    this.#env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
  }

  /** Types a command and gives what it printed; throws where it ends with another status. */
  type(command: string, wanted = 0): Promise<string> {
    // Not spawnSync: the upstream, which lives in this process, has to answer meanwhile.
    return new Promise((resolve, reject) => {
      const options = { cwd: this.folder, env: this.#env, timeout: END_DEADLINE_MS }
      execFile('sh', ['-c', command], options, (failed, stdout, stderr) => {
        if ((failed?.code ?? 0) === wanted) resolve(stdout)
        else reject(new Error(`${command}: status ${failed?.code}: ${stdout}${stderr}`))
      })
    })
  }

  /** The same in the container, without kubectl. */
  inContainer(words: readonly string[]): string {
    return run(this.#container.execCommand(words))
  }
}

/** The commands of docs/migrate.md that start something in the Pod. */
const documented = (words: string): string[] => {
  const found = commandsOf(documentNamed('docs/migrate.md')).filter(
    command => command.includes(' exec ') && command.includes(words),
  )
  holds(found.length > 0, `docs/migrate.md prints no kubectl exec with ${words}`)
  return found
}

async function checkExplain(shell: OperatorShell): Promise<void> {
  const explain = ['explain', `${NAME}.`, '--json']
  for (const program of [['seamark'], ['/usr/local/bin/node', '/seamark/seamark.mjs']]) {
    const { cause, client } = JSON.parse(shell.inContainer([...program, ...explain])) as Report
    holds(cause.startsWith(`${NAME} resolves to 10.96.0.1`), cause)
    same(client, '127.0.0.1', 'the server answers, from its own address')
  }
  const plugin = await shell.type(`'${join(ROOT, 'bin', 'kubectl-seamark')}' ${explain.join(' ')}`)
  same((JSON.parse(plugin) as Report).status, 0, 'kubectl seamark')
  for (const command of documented('explain'))
    holds((await shell.type(command)).includes('10.96.0.1'), command)
  if (!isBuilt('kubectl')) return
  const path = `PATH=${join(ROOT, 'bin')}:${process.env.PATH}`
  const plugins = run(['env', path, programPath('kubectl'), 'plugin', 'list'])
  holds(plugins.includes(join(ROOT, 'bin', 'kubectl-seamark')), plugins)
}

/** The Corefile that is mounted, from the file and from standard input. */
async function checkCheck(shell: OperatorShell): Promise<void> {
  const told = await shell.type('kubectl exec POD -- seamark check /etc/coredns/Corefile')
  holds(told.includes(' 0 errors'), told)
  const wrong = await shell.type(
    "printf '. {\\n  forwrad . 192.0.2.53\\n}\\n' | kubectl exec -i POD -- seamark check -",
    1,
  )
  holds(wrong.includes('forwrad') && wrong.includes('forward'), wrong)
}

/** One query that `seamark tap` shows: only what is asked once it follows is seen. */
async function checkTap(context: Context, shell: OperatorShell): Promise<void> {
  const name = 'tapped.default.svc.cluster.local'
  const typed = `PATH='${shell.folder}':"$PATH" kubectl exec POD -- seamark tap --name ${name} --count 1 --json`
  const tap = Program.start(context.scope, shell.folder, 'tap', ['sh', '-c', typed])
  await eventually(
    'a line of tap',
    async () => {
      await query(53, { name })
      return tap.outcome !== undefined
    },
    END_DEADLINE_MS,
  )
  await tap.exited(END_DEADLINE_MS)
  same(tap.outcome, 0, tap.log())
  const line = JSON.parse(tap.log()) as TapLine
  same([line.name, line.type, line.proto, line.rcode], [`${name}.`, 'A', 'udp', 'NXDOMAIN'], tap.log())
}

/** With CoreDNS as the other server: the same for names of the cluster; and a question whose answers differ is shown. */
async function checkDiff(context: Context, shell: OperatorShell): Promise<void> {
  const coredns = await context.serve('coredns')
  writeFileSync(join(shell.folder, 'names'), `${NAME}\n${NAME} AAAA\nmissing.default.svc.cluster.local\n`)
  const logged = `[INFO] 10.244.1.7:40000 - 1 "A IN ${NAME}. udp 64 false 512" NOERROR qr,aa,rd 140 0.0001s\n`
  writeFileSync(join(shell.folder, 'queries.log'), logged)
  for (const command of documented('diff')) {
    const told = await shell.type(command.replace('10.96.0.10', `127.0.0.1:${coredns.port}`))
    holds(told.includes(' 0 with different answers'), `${command}: ${told}`)
  }
  const command = `kubectl exec -i POD -- seamark diff --with 127.0.0.1:${coredns.port} -`
  const told = await shell.type(`echo www.example.net | ${command}`, DIFFERENT)
  holds(told.includes('192.0.2.80') && told.includes('SERVFAIL'), told)
  await coredns.stop()
}

/** All of them. Throws where one says or does something else. */
export async function checkCommands(context: Context, container: Container, folder: string): Promise<void> {
  const shell = new OperatorShell(container, folder)
  await checkExplain(shell)
  await checkCheck(shell)
  await checkTap(context, shell)
  await checkDiff(context, shell)
}
