// A node of the cluster as a network namespace, and a Pod on it as one more: the node's way out is a veth pair to where the control
// plane and the cluster's DNS are, the Pod's is one to the node.

import { readlinkSync } from 'node:fs'
import { run } from './namespaces.ts'
import { eventually, Program, type Scope } from './processes.ts'

const OUTSIDE = '10.244.200.1'
const NODE = '10.244.200.2'
const NODE_POD_SIDE = '10.244.201.1'
const POD = '10.244.201.2'

/** A namespace that lives as long as its scope. */
export class Namespace {
  readonly #pid: number

  private constructor(pid: number) {
    this.#pid = pid
  }

  static async make(scope: Scope, folder: string, name: string): Promise<Namespace> {
    const holder = Program.start(scope, folder, name, ['unshare', '--net', 'sleep', 'infinity'])
    const own = readlinkSync('/proc/self/ns/net')
    await eventually('network namespace', () => readlinkSync(`/proc/${holder.pid}/ns/net`) !== own)
    const namespace = new Namespace(holder.pid)
    namespace.run('ip link set lo up')
    return namespace
  }

  /** What to put before a command so that it runs there. */
  get wrap(): string[] {
    return ['nsenter', '--net', '--target', String(this.#pid)]
  }

  get pid(): number {
    return this.#pid
  }

  /** Runs a command there to its end, words with spaces between; gives its output, throws where it fails. */
  run(command: string): string {
    return run([...this.wrap, ...command.split(' ')])
  }
}

/** A node and a Pod on it; `serviceAddress` is an address of the outside, which the node reaches. */
export async function makeNode(
  scope: Scope,
  folder: string,
  serviceAddress: string,
): Promise<{ readonly node: Namespace; readonly pod: Namespace }> {
  const node = await Namespace.make(scope, folder, 'node')
  const pod = await Namespace.make(scope, folder, 'pod-of-node')
  run(`ip link add veth-node type veth peer name eth0 netns ${node.pid}`.split(' '))
  scope.add('veth pair', () => void run(['ip', 'link', 'delete', 'veth-node']))
  run(`ip address add ${OUTSIDE}/24 dev veth-node`.split(' '))
  run(`ip address add ${serviceAddress}/32 dev veth-node`.split(' '))
  run('ip link set veth-node up'.split(' '))
  node.run(`ip address add ${NODE}/24 dev eth0`)
  node.run('ip link set eth0 up')
  node.run(`ip route add default via ${OUTSIDE}`)
  node.run(`ip link add veth-pod type veth peer name eth0 netns ${pod.pid}`)
  node.run(`ip address add ${NODE_POD_SIDE}/24 dev veth-pod`)
  node.run('ip link set veth-pod up')
  pod.run(`ip address add ${POD}/24 dev eth0`)
  pod.run('ip link set eth0 up')
  pod.run(`ip route add default via ${NODE_POD_SIDE}`)
  return { node, pod }
}
