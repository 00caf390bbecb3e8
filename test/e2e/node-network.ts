// A node of the cluster as a network namespace, and a Pod on it as one more: the node's way out is a veth pair to where the control
// plane and the cluster's DNS are, the Pod's is one to the node.

import { readlinkSync } from 'node:fs'
import { run } from './namespaces.ts'
import { eventually, Program, type Scope } from './processes.ts'

/** Of the addresses of nodes and their Pods, by the node's number: 10.244.200.x and 10.244.201.x are of the first. */
const FIRST_NET = 244

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

/** A node and a Pod on it. */
export interface NodeNetwork {
  readonly node: Namespace
  readonly pod: Namespace
  readonly nodeAddress: string
  /** What the node's Pods have addresses of, in CIDR notation. */
  readonly podNetwork: string
  readonly podAddress: string
}

/**
 * Makes a node and a Pod on it; `serviceAddress` is an address of the outside, which the node and its Pods reach. Several nodes
 * of one run have different numbers.
 */
export async function makeNode(
  scope: Scope,
  folder: string,
  serviceAddress: string,
  number = 0,
): Promise<NodeNetwork> {
  const base = `10.${FIRST_NET + number}`
  const outside = `${base}.200.1`
  const nodeAddress = `${base}.200.2`
  const podSide = `${base}.201.1`
  const podAddress = `${base}.201.2`
  const podNetwork = `${base}.201.0/24`
  const link = `veth-node${number}`
  const node = await Namespace.make(scope, folder, `node${number}`)
  const pod = await Namespace.make(scope, folder, `pod-of-node${number}`)
  const onHost = (command: string): string => run(command.split(' '))
  onHost(`ip link add ${link} type veth peer name eth0 netns ${node.pid}`)
  scope.add('veth pair', () => void onHost(`ip link delete ${link}`))
  onHost(`ip address add ${outside}/24 dev ${link}`)
  onHost(`ip address add ${serviceAddress}/32 dev ${link}`)
  onHost(`ip link set ${link} up`)
  node.run(`ip address add ${nodeAddress}/24 dev eth0`)
  node.run('ip link set eth0 up')
  node.run(`ip route add default via ${outside}`)
  node.run(`ip link add veth-pod type veth peer name eth0 netns ${pod.pid}`)
  node.run(`ip address add ${podSide}/24 dev veth-pod`)
  node.run('ip link set veth-pod up')
  run([...node.wrap, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
  pod.run(`ip address add ${podAddress}/24 dev eth0`)
  pod.run('ip link set eth0 up')
  pod.run(`ip route add default via ${podSide}`)
  onHost(`ip route add ${podNetwork} via ${nodeAddress}`)
  return { node, pod, nodeAddress, podNetwork, podAddress }
}
