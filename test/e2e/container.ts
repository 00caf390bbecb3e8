// A container as a kubelet would have it made of an image's layers and a Pod's container: the OCI runtime's own files, its start
// and its certain end. The network is the run's own.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './namespaces.ts'
import { Program, type Scope } from './processes.ts'

/** Programs that start a container by the OCI's runtime-spec. */
export const RUNTIMES = ['crun', 'runc'] as const
const OCTETS_PER_MIB = 2 ** 20

/** Of the Pod's container, what a runtime is told. */
export interface PodContainer {
  readonly command?: readonly string[]
  readonly args: readonly string[]
  readonly resources: { readonly limits: { readonly memory: string } }
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean
    readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] }
    readonly readOnlyRootFilesystem: boolean
    readonly runAsUser: number
    readonly runAsGroup: number
  }
}

/** Folders and files of this machine at their places in the container, read-only. */
export type Mounts = Readonly<Record<string, string>>

interface ImageConfig {
  readonly config: {
    readonly Env: readonly string[]
    readonly Entrypoint: readonly string[]
    readonly WorkingDir: string
  }
}

/** An image of an OCI layout, unpacked. */
export class UnpackedImage {
  readonly rootfs: string
  readonly config: ImageConfig['config']

  private constructor(rootfs: string, config: ImageConfig['config']) {
    this.rootfs = rootfs
    this.config = config
  }

  /** Unpacks a layout's only image into `folder`, by tar, with the capabilities of files. */
  static unpack(layout: string, folder: string): UnpackedImage {
    const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'))
    const json = <Value>(file: string): Value => JSON.parse(readFileSync(file, 'utf8')) as Value
    const { manifests } = json<{ manifests: { digest: string }[] }>(join(layout, 'index.json'))
    const manifest = json<{ config: { digest: string }; layers: { digest: string }[] }>(
      blob(manifests[0]!.digest),
    )
    mkdirSync(folder, { recursive: true })
    for (const { digest } of manifest.layers)
      run(['tar', '--xattrs', '--xattrs-include=*', '-xzf', blob(digest), '-C', folder])
    return new UnpackedImage(folder, json<ImageConfig>(blob(manifest.config.digest)).config)
  }
}

/** `170Mi` in octets. */
const octetsOf = (quantity: string): number => Number(/^(\d+)Mi$/.exec(quantity)?.[1]) * OCTETS_PER_MIB

/** A started container. */
export class Container {
  readonly program: Program
  readonly #runtime: readonly string[]
  readonly #id: string

  private constructor(program: Program, runtime: readonly string[], id: string) {
    this.program = program
    this.#runtime = runtime
    this.#id = id
  }

  /** Starts the image as the Pod's container says; its output is the program's log. */
  static start(
    scope: Scope,
    runtime: (typeof RUNTIMES)[number],
    image: UnpackedImage,
    pod: PodContainer,
    options: { readonly mounts: Mounts; readonly env: readonly string[] },
  ): Container {
    const bundle = scope.folder(runtime)
    const id = `seamark-${process.pid}-${runtime}`
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(specOf(image, pod, options, `/${id}`)))
    const command = [runtime, '--root', join(bundle, 'state')]
    const program = Program.start(scope, bundle, runtime, [...command, 'run', '--bundle', bundle, id])
    const remove = (): void => {
      // Gone already where the program has ended.
      if (program.running) execFileSync(runtime, [...command.slice(1), 'delete', '--force', id])
    }
    scope.add(`container ${id}`, remove, remove)
    return new Container(program, command, id)
  }

  /** The process in it, by its pid on this side. */
  get pid(): number {
    return (JSON.parse(run([...this.#runtime, 'state', this.#id])) as { pid: number }).pid
  }

  /** How a command is run in it, by its user, as the kubelet does for `kubectl exec`. */
  execCommand(args: readonly string[]): string[] {
    return [...this.#runtime, 'exec', this.#id, ...args]
  }

  signal(signal: string): void {
    run([...this.#runtime, 'kill', this.#id, signal])
  }
}

/** What a runtime reads: config.json of the runtime-spec. */
function specOf(
  { rootfs, config }: UnpackedImage,
  { command, args, resources, securityContext: { capabilities, ...security } }: PodContainer,
  { mounts, env }: { readonly mounts: Mounts; readonly env: readonly string[] },
  cgroupsPath: string,
): object {
  if (capabilities.drop.join() !== 'ALL') throw new Error('the Pod keeps capabilities')
  const kept = capabilities.add.map(name => `CAP_${name}`)
  const system = (destination: string, type: string, ...options: string[]): object => ({
    destination,
    type,
    source: type,
    options: ['nosuid', ...options],
  })
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: security.runAsUser, gid: security.runAsGroup },
      args: [...(command ?? config.Entrypoint), ...args],
      env: [...config.Env, ...env],
      cwd: config.WorkingDir,
      // What a container engine gives to one that is not root: nothing that lasts beyond a program's own rights.
      capabilities: { bounding: kept, effective: kept, permitted: kept },
      noNewPrivileges: !security.allowPrivilegeEscalation,
    },
    root: { path: rootfs, readonly: security.readOnlyRootFilesystem },
    hostname: 'coredns',
    mounts: [
      system('/proc', 'proc', 'noexec', 'nodev'),
      system('/dev', 'tmpfs', 'mode=755', 'size=65536k'),
      system('/dev/shm', 'tmpfs', 'noexec', 'nodev', 'mode=1777', 'size=65536k'),
      system('/sys', 'sysfs', 'noexec', 'nodev', 'ro'),
      system('/sys/fs/cgroup', 'cgroup', 'noexec', 'nodev', 'relatime', 'ro'),
      ...Object.entries(mounts).map(([destination, source]) => ({
        destination,
        type: 'bind',
        source,
        options: ['bind', 'ro'],
      })),
    ],
    linux: {
      cgroupsPath,
      resources: { memory: { limit: octetsOf(resources.limits.memory) } },
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
    },
  }
}
