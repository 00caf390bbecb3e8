// Linux namespaces: the whole run moves into network, mount and process namespaces of its own where the machine lets
// it, so that it meets nobody else's ports, may use 10.96.0.10, and leaves nothing behind when it is killed. A Pod's
// network is one more namespace with a veth pair, as a container runtime would make it.

import { execFile, spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { eventually, Program, type Scope } from './processes.ts'

const UNSHARE = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
const SERVER_SIDE = '10.244.255.1'
const POD_SIDE = '10.244.255.2'
const EXEC_TIMEOUT_MS = 30_000

/** Runs a command to its end; throws with its output when it fails. */
export function run(command: readonly string[]): string {
  const done = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' })
  if (done.status !== 0) {
    const why = done.error?.message ?? `status ${done.status}: ${done.stderr}${done.stdout}`
    throw new Error(`${command.join(' ')}: ${why}`)
  }
  return done.stdout
}

const works = (command: readonly string[]): boolean => spawnSync(command[0]!, command.slice(1)).status === 0

/** True where a program of this name can be started. */
export const hasProgram = (name: string): boolean => works(['sh', '-c', `command -v ${name}`])

/** What to put before a command so that it runs in namespaces of its own as their root; undefined where that is denied. */
export function namespaceCommand(): string[] | undefined {
  const trial = ['sh', '-c', 'ip link set lo up']
  for (const command of [UNSHARE, [...UNSHARE, '--user', '--map-root-user']])
    if (works([...command, ...trial])) return command
  return undefined
}

/** A Pod's network: commands run in it see its resolv.conf and reach 10.96.0.10. */
export class PodNetwork {
  readonly #pid: number
  readonly #resolvConf: string

  private constructor(pid: number, resolvConf: string) {
    this.#pid = pid
    this.#resolvConf = resolvConf
  }

  /**
   * Makes the namespace and the veth pair; `serviceAddress` becomes a local address of the server's side.
   * @param resolvConf - the file that the Pod sees as /etc/resolv.conf
   */
  static async make(
    scope: Scope,
    folder: string,
    serviceAddress: string,
    resolvConf: string,
  ): Promise<PodNetwork> {
    const holder = Program.start(scope, folder, 'pod', ['unshare', '--net', 'sleep', 'infinity'])
    const own = readlinkSync('/proc/self/ns/net')
    await eventually('network namespace', () => readlinkSync(`/proc/${holder.pid}/ns/net`) !== own)
    const pod = new PodNetwork(holder.pid, resolvConf)
    run([
      'ip',
      'link',
      'add',
      'veth-server',
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      String(holder.pid),
    ])
    scope.add('veth pair', () => void run(['ip', 'link', 'delete', 'veth-server']))
    run(['ip', 'address', 'add', `${SERVER_SIDE}/24`, 'dev', 'veth-server'])
    run(['ip', 'address', 'add', `${serviceAddress}/32`, 'dev', 'veth-server'])
    run(['ip', 'link', 'set', 'veth-server', 'up'])
    pod.#run(['ip', 'address', 'add', `${POD_SIDE}/24`, 'dev', 'eth0'])
    pod.#run(['ip', 'link', 'set', 'lo', 'up'])
    pod.#run(['ip', 'link', 'set', 'eth0', 'up'])
    pod.#run(['ip', 'route', 'add', 'default', 'via', SERVER_SIDE])
    return pod
  }

  #run(command: readonly string[]): string {
    return run(['nsenter', '--net', '--target', String(this.#pid), ...command])
  }

  /** Runs a command as a program in the Pod and gives what it printed, whatever its exit status. */
  exec(command: readonly string[]): Promise<string> {
    const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    const inside = [
      '--net',
      '--target',
      String(this.#pid),
      'unshare',
      '--mount',
      'sh',
      '-c',
      script,
      this.#resolvConf,
    ]
    // Not spawnSync: the upstream, which lives in this process, has to answer meanwhile.
    return new Promise((resolve, reject) => {
      execFile('nsenter', [...inside, ...command], { timeout: EXEC_TIMEOUT_MS }, (error, stdout, stderr) => {
        if (error?.killed) reject(error)
        else resolve(`${stdout}${stderr}`)
      })
    })
  }
}

/**
 * What to put before a server's command so that it sees `folder` as the place where Pods find their ServiceAccount's
 * token and authority, /var/run/secrets/kubernetes.io/serviceaccount. The process keeps its pid.
 */
export function withServiceAccount(folder: string): string[] {
  const script = [
    'place=/var/run/secrets/kubernetes.io/serviceaccount',
    'mount -t tmpfs tmpfs "$(readlink -f /var/run)"',
    'mkdir -p "$place"',
    'mount --bind "$0" "$place"',
    'exec "$@"',
  ].join(' && ')
  return ['unshare', '--mount', 'sh', '-c', script, folder]
}
