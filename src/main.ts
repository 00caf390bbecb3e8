// The process: reads the flags, starts the control thread's server, answers signals (docs/coredns.md 2.5) and ends with its exit
// status. SIGTERM drains through the lameduck time, SIGINT without it, a second one of either ends at once; SIGUSR1
// reloads, SIGHUP is ignored.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import type { Command } from './command.ts'
import { Server, StartError } from './control/server.ts'
import type { ServiceManager, UnderSystemd } from './control/service-manager.ts'
import { parseFlags } from './flags.ts'
import type { NodeCache } from './nodecache/node-cache.ts'
import type { NodeCacheOptions } from './nodecache/options.ts'
import { siteText } from './observe/http.ts'
import { formatJsonLine, type LogForm } from './observe/json-line.ts'
import { ProcessLog } from './observe/log.ts'
import { descriptorSink, LogOutput } from './observe/log-output.ts'
import { Registry } from './observe/registry.ts'
import { SERVED_WORDS } from './plugin/registry.ts'
import { check } from './setup/check.ts'
import { type ConfigurationSource, DEFAULT_COREFILE } from './setup/configuration.ts'
import { systemClock } from './shared/clock.ts'
import { hearSigusr1 } from './shared/signals.ts'
import { VERSION } from './shared/version.ts'

const LOG_FLUSH_MS = 1000

async function main(command: Command): Promise<number> {
  const print = (text: string): void => void process.stdout.write(text)
  switch (command.command) {
    case 'error':
      process.stderr.write(`seamark: ${command.message}\n${(await import('./help.ts')).usageAfterMistake()}`)
      return 1
    case 'help':
      print((await import('./help.ts')).helpAbout(command.about))
      return 0
    case 'completion':
      print((await import('./completions.ts')).completionScript(command.shell))
      return 0
    case 'version':
      print(`Seamark-${VERSION}\n${runtime()}\n`)
      return 0
    case 'plugins':
      print(`Server types:\n  dns\n\nOther plugins:\n${SERVED_WORDS.map(word => `  dns.${word}\n`).join('')}`)
      return 0
    case 'check':
      return check(command, print)
    case 'explain': {
      const { explainCommand } = await import('./explain/command.ts')
      const { conf, port } = command
      const configuration = conf === '' ? undefined : source(conf, port)
      return explainCommand({ ...command, configuration, fallback: () => source('', port) }, print)
    }
    case 'tap': {
      const { tapCommand } = await import('./explain/tap.ts')
      return tapCommand(command, print, text => void process.stderr.write(text))
    }
    case 'diff':
      return (await import('./diff/command.ts')).diffCommand(command, print)
    case 'serve':
      return serve(command)
  }
}

async function serve(command: Extract<Command, { command: 'serve' }>): Promise<number> {
  const registry = new Registry()
  const log = new ProcessLog(
    new LogOutput(descriptorSink(1).sink, systemClock),
    systemClock,
    registry.meters,
    {
      quiet: command.quiet,
      form: command.logForm,
    },
  )
  const nodeCache =
    command.nodeCache && (await startNodeCache(command.nodeCache, log, registry, () => server.reload()))
  const fatal = async (text: string): Promise<number> => {
    tellFatal(text, command.logForm)
    await log.flush(LOG_FLUSH_MS)
    return 1
  }
  if (typeof nodeCache === 'string') return fatal(nodeCache)
  const systemd = await fromSystemd(log)
  if (typeof systemd === 'string') return fatal(systemd)
  const manager = systemd?.manager
  const server: Server = new Server({
    configuration: nodeCache === undefined ? source(command.conf, command.port) : nodeCache.source,
    log,
    registry,
    quiet: command.quiet,
    logForm: command.logForm,
    lastGood: command.lastGood,
    overlap: command.overlap,
    events: command.events,
    lean: nodeCache !== undefined,
    metrics: command.nodeCache?.metrics,
    passed: systemd?.sockets ?? [],
  })
  process.on('uncaughtException', error => bug(log, registry, error))
  process.on('unhandledRejection', error => bug(log, registry, error))
  const ended = Promise.withResolvers<number>()
  // Before anything is started: whoever asks a server to end that still waits for its cluster must not be ignored.
  const isStopping = handleSignals(server, log, manager, ended.resolve)
  let failure = await Promise.race([startError(server), ended.promise])
  // A start that the end cuts short has not failed.
  if (typeof failure === 'string' && isStopping()) failure = await ended.promise
  if (failure !== undefined) {
    if (typeof failure === 'string') tellFatal(failure, command.logForm)
    await nodeCache?.stop()
    await log.flush(LOG_FLUSH_MS)
    return typeof failure === 'string' ? 1 : failure
  }
  if (command.pidfile !== '') writePidfile(command.pidfile, log)
  if (!command.quiet) banner(server, log)
  await nodeCache?.serving()
  manager?.serving()
  const status = await ended.promise
  await nodeCache?.stop()
  await log.flush(LOG_FLUSH_MS)
  return status
}

/** Why nothing is served. */
function tellFatal(text: string, form: LogForm): void {
  process.stderr.write(`${form === 'text' ? text : formatJsonLine('FATAL', '', text, Date.now())}\n`)
}

/** The cache of a node, with its Corefile as a source of configurations; why there is none, in words. Loaded where it is asked for. */
async function startNodeCache(
  options: NodeCacheOptions,
  log: ProcessLog,
  { meters }: Registry,
  changed: () => void,
): Promise<({ readonly source: ConfigurationSource } & Pick<NodeCache, 'serving' | 'stop'>) | string> {
  const { NodeCache } = await import('./nodecache/node-cache.ts')
  const cache = new NodeCache(options, { log, meters, clock: systemClock, environment: process.env, changed })
  const wrong = await cache.start()
  if (wrong !== undefined) return wrong
  return {
    source: {
      file: options.corefile,
      get text() {
        return cache.corefile
      },
      port: options.port,
    },
    serving: () => cache.serving(),
    stop: () => cache.stop(),
  }
}

/** What systemd has for this process; undefined where it says nothing. */
async function fromSystemd(log: ProcessLog): Promise<UnderSystemd | undefined | string> {
  const { NOTIFY_SOCKET, LISTEN_FDS } = process.env
  if (NOTIFY_SOCKET === undefined && LISTEN_FDS === undefined) return undefined
  const warn = (text: string): void => log.write('WARNING', 'systemd', text)
  const { underSystemd } = await import('./control/service-manager.ts')
  const found = await underSystemd(process.env, process.pid, warn)
  if (typeof found === 'object') found.unusable.forEach(warn)
  return found
}

/** Starts the server; what is wrong, in words, where it cannot. */
async function startError(server: Server): Promise<string | undefined> {
  try {
    await server.start()
    return undefined
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
}

/** Where the configuration comes from: as CoreDNS, ./Corefile, or a server that only says who asks. */
function source(conf: string, port: number): ConfigurationSource {
  if (conf === 'stdin') return { file: 'stdin', text: readFileSync(0, 'utf8'), port }
  if (conf === '' && !existsSync('Corefile')) return { file: 'the default', text: DEFAULT_COREFILE, port }
  return { file: conf === '' ? 'Corefile' : conf, port }
}

/** A bug outside of any query: the process serves on (every part keeps its last good state), loudly. */
function bug(log: ProcessLog, registry: Registry, error: unknown): void {
  registry.meters.counter('coredns_panics_total').add()
  log.write(
    'ERROR',
    '',
    `recovered from a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  )
}

function writePidfile(file: string, log: ProcessLog): void {
  try {
    writeFileSync(file, `${process.pid}\n`)
  } catch (error) {
    log.write(
      'ERROR',
      '',
      `writing the process id to ${file}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

const runtime = (): string => `${platform()}/${arch()}, node ${process.versions.node}`

/** What is served and where, as CoreDNS prints it; for a folder of manifests the names and what to ask. */
function banner(server: Server, log: ProcessLog): void {
  const { setup } = server
  if (!setup) return
  for (const { server: label, zones, address, port } of setup.listens) {
    const at = address === '' ? '' : ` on ${address}`
    for (const { zone } of zones)
      log.banner(`${label.startsWith('dns://') ? '' : `${label.split('//')[0]}//`}${zone}:${port}${at}`)
  }
  log.banner(`Seamark-${VERSION}`)
  log.banner(runtime())
  for (const { address } of setup.status)
    log.banner(`Status: http://${siteText({ ...address, host: address.host || 'localhost' })}/status`)
  const listen = setup.listens.find(({ scheme }) => scheme === 'dns')
  const host = listen?.address || '127.0.0.1'
  for (const { source: watched, config } of server.clusters.all) {
    const zone = config.primaryZone.replace(/\.$/, '')
    const described = watched.describe?.(zone, { host, port: listen?.port ?? 0 })
    if (!described) continue
    log.banner('')
    for (const line of described.names) log.banner(line)
    if (!listen) continue
    log.banner('\nTry:')
    for (const line of described.queries) log.banner(`  ${line}`)
  }
}

/** Lets signals do what they say; returns whether one has begun to end the server. */
function handleSignals(
  server: Server,
  log: ProcessLog,
  manager: ServiceManager | undefined,
  end: (status: number) => void,
): () => boolean {
  let stopping = false
  const stop = (signal: string, lameduck: boolean): void => {
    if (stopping) {
      log.write('WARNING', '', `${signal} again: ending at once`)
      void server.abort().finally(() => end(2))
      return
    }
    stopping = true
    manager?.stopping()
    log.write('INFO', '', `${signal}: Shutting down servers then terminating`)
    server.stop(lameduck).then(
      () => end(0),
      (error: unknown) => {
        log.write('ERROR', '', `stopping: ${error instanceof Error ? error.message : String(error)}`)
        end(3)
      },
    )
  }
  process.on('SIGTERM', () => stop('SIGTERM', true))
  process.on('SIGINT', () => stop('SIGINT', false))
  process.on('SIGUSR1', () => {
    const reload = server.reload()
    void (manager?.reloading(reload) ?? reload)
  })
  void hearSigusr1()
  process.on('SIGHUP', () => log.write('INFO', '', 'SIGHUP is ignored; SIGUSR1 reloads'))
  return () => stopping
}

process.exit(await main(parseFlags(process.argv.slice(2))))
