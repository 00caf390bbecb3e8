// The image: made by `npm run image` twice, the same octets; read by skopeo in every form, loaded by podman and ctr; and started
// by OCI runtimes as the Deployment's container: its user, capabilities, read-only root, memory limit, arguments and Corefile,
// with the ServiceAccount's token where Pods find it. It answers for the cluster on port 53, does what operators type in it, and
// drains when it is told to end.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import manifest from '../../package.json' with { type: 'json' }
import { commandsOf, documentNamed } from '../documents/document.ts'
import { query } from '../support/dns-client.ts'
import { Container, type Mounts, type PodContainer, RUNTIMES, UnpackedImage } from './container.ts'
import { checkCommands } from './image-commands.ts'
import { hasProgram, run } from './namespaces.ts'
import { eventually, Program } from './processes.ts'
import { ServiceAccount } from './service-account.ts'
import { type Context, holds, type Suite, same } from './suite.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const EX_UNAVAILABLE = 69
const READY_DEADLINE_MS = 60_000
/** Long enough to ask in, however busy the machine is. */
const LAMEDUCK = 'lameduck 10s'
const END_DEADLINE_MS = 60_000
const NAME = 'kubernetes.default.svc.cluster.local'

const yaml = <Value>(file: string): Value =>
  parse(readFileSync(join(ROOT, 'config', 'kubernetes', file), 'utf8')) as Value

/** Runs `npm run image`; why it cannot be done here, or ''. */
function makeImage(folder: string, architecture = 'amd64'): string {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts', 'image.ts'), '--arch', architecture, '--out', folder],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } },
  )
  if (status === EX_UNAVAILABLE) return stderr.trim()
  if (status !== 0) throw new Error(`npm run image ended with status ${status}: ${stderr}`)
  return ''
}

const archive = `seamark-${manifest.version}`

/** Every form that the image comes in, as skopeo names them, the platform's own last. */
const forms = (folder: string): string[] => [
  `oci:${join(folder, 'layout')}:${manifest.version}`,
  `oci-archive:${join(folder, `${archive}.tar`)}`,
  `oci-archive:${join(folder, `${archive}-amd64.tar`)}`,
  `docker-archive:${join(folder, `${archive}-amd64.tar`)}`,
]

/** What a shell is not there for: the files by name and checksum. */
const sums = (folder: string): string =>
  run(['sh', '-c', 'cd "$0" && find . -type f | sort | xargs sha256sum', folder])

async function checkForms(context: Context, folder: string): Promise<void> {
  await context.check('made twice, the same octets', () => {
    const again = join(folder, '..', 'again')
    same(makeImage(again), '', 'the second time')
    same(sums(again), sums(folder), 'all files')
  })
  if (!hasProgram('skopeo')) return context.skip('skopeo reads every form', 'skopeo is not installed')
  await context.check('skopeo reads every form', () => {
    for (const form of forms(folder)) {
      const told = JSON.parse(run(['skopeo', 'inspect', '--config', form])) as {
        architecture: string
        config: object
      }
      same(told.architecture, 'amd64', form)
      holds('Labels' in told.config, `${form} has labels`)
    }
  })
  await context.check('skopeo copies it with every layer held to its digest', () => {
    const to = join(folder, '..', 'copied')
    for (const form of forms(folder)) {
      mkdirSync(to, { recursive: true })
      run(['skopeo', '--insecure-policy', 'copy', form, `dir:${to}`])
      holds(readdirSync(to).includes('manifest.json'), form)
    }
  })
}

/** What docs/migrate.md has operators load, into stores of this run's own. */
async function checkEngines(context: Context, folder: string): Promise<void> {
  const commands = commandsOf(documentNamed('docs/migrate.md'))
  const typed = (program: string, archive: string): string[] => {
    const command = commands.find(each => each.startsWith(`${program} `) && each.includes('image/'))!
    holds(command !== undefined, `docs/migrate.md loads it by ${program}`)
    return command
      .replace(/image\/\S+$/, join(folder, archive))
      .split(' ')
      .slice(1)
  }
  const store = context.scope.folder('engines')
  const name = `docker.io/library/seamark:${manifest.version}`
  const both = [`${archive}.tar`, `${archive}-amd64.tar`]
  if (!hasProgram('podman')) context.skip('podman loads it', 'podman is not installed')
  else
    await context.check('podman loads it', () => {
      const own = ['--root', 'root', '--runroot', 'run', '--tmpdir', 'tmp'].map(word =>
        word.startsWith('--') ? word : join(store, word),
      )
      const podman = (...args: string[]): string =>
        run(['podman', '--storage-driver', 'vfs', ...own, ...args])
      for (const each of both) podman(...typed('podman', each))
      const [image] = JSON.parse(podman('image', 'inspect', name)) as { User: string; RepoTags: string[] }[]
      same([image?.User, image?.RepoTags], ['65532:65532', [name]], 'user and tag')
    })
  if (!hasProgram('containerd')) context.skip('ctr imports it', 'containerd is not installed')
  else
    await context.check('ctr imports it, and unpacks it', async () => {
      const socket = join(store, 'containerd.sock')
      const place = ['--root', join(store, 'containerd'), '--state', join(store, 'state')]
      const command = ['containerd', ...place, '--address', socket]
      const containerd = Program.start(context.scope, store, 'containerd', command)
      await eventually('containerd', () => existsSync(socket))
      for (const each of both)
        run(['ctr', '--address', socket, ...typed('ctr', each), '--snapshotter', 'native'])
      const listed = run(['ctr', '--address', socket, '--namespace', 'k8s.io', 'images', 'list', '--quiet'])
      holds(listed.split('\n').includes(name), listed)
      await containerd.stop()
    })
}

/** e_machine of elf(5). */
const EM_AARCH64 = 183
const ELF = '\x7fELF'

/** The processors of the programs and libraries below a folder, each once. */
const machines = (folder: string): number[] => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(file => file.isFile())
  const octets = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name)))
  const programs = octets.filter(head => head.toString('latin1', 0, ELF.length) === ELF)
  return [...new Set(programs.map(head => head.readUInt16LE(18)))]
}

/** It cannot be started here: that all of it is of that processor is looked at. */
async function checkArm64(context: Context, folder: string): Promise<void> {
  await context.check('for arm64, every program and library is', () => {
    same(makeImage(folder, 'arm64'), '', 'the image')
    const { rootfs } = UnpackedImage.unpack(join(folder, 'layout'), join(folder, '..', 'rootfs-arm64'))
    same(machines(rootfs), [EM_AARCH64], 'processors')
    if (!hasProgram('skopeo')) return
    const form = `oci:${join(folder, 'layout')}:${manifest.version}`
    const told = run(['skopeo', '--override-arch', 'arm64', 'inspect', '--config', form])
    same((JSON.parse(told) as { architecture: string }).architecture, 'arm64', 'as skopeo reads it')
  })
}

/** The files that the Pod mounts; the resolver's is one that nobody answers at. */
function mountsOf(folder: string, account: ServiceAccount): Mounts {
  mkdirSync(join(folder, 'coredns'), { recursive: true })
  const { data } = yaml<{ data: { Corefile: string } }>('config-map.yaml')
  writeFileSync(join(folder, 'coredns', 'Corefile'), data.Corefile.replace('lameduck 5s', LAMEDUCK))
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 192.0.2.53\n')
  writeFileSync(join(folder, 'hosts'), '127.0.0.1 localhost\n')
  // The kubelet makes it readable for the Pod's fsGroup.
  chmodSync(account.folder, 0o755)
  return {
    '/etc/hosts': join(folder, 'hosts'),
    '/etc/coredns': join(folder, 'coredns'),
    '/etc/resolv.conf': join(folder, 'resolv.conf'),
    '/var/run/secrets/kubernetes.io/serviceaccount': account.folder,
  }
}

const isReady = async (): Promise<boolean> => (await fetch('http://127.0.0.1:8181/ready')).ok

async function checkRuntime(
  context: Context,
  runtime: (typeof RUNTIMES)[number],
  image: UnpackedImage,
  mounts: Mounts,
): Promise<void> {
  const { plane } = context.world
  const env = ['KUBERNETES_SERVICE_HOST=127.0.0.1', `KUBERNETES_SERVICE_PORT=${plane.port}`]
  const { spec } = yaml<{ spec: { template: { spec: { containers: [PodContainer] } } } }>('deployment.yaml')
  const [pod] = spec.template.spec.containers
  const start = (changed: Partial<PodContainer>): Container =>
    Container.start(context.scope, runtime, image, { ...pod, ...changed }, { mounts, env })

  const named = start({ command: ['coredns'], args: ['-version'] })
  await named.program.exited(END_DEADLINE_MS)
  const told = named.program.log()
  // Such as crun 1.8 where both versions of control groups are mounted.
  if (/cgroup/.test(told)) return context.skip(`the image by ${runtime}`, told.trim())
  await context.check(`${runtime}: command: ["coredns"], as some distributions set it`, () => {
    same(named.program.outcome, 0, told)
    same(told.split('\n')[0], `Seamark-${manifest.version}`, 'its version')
  })
  const container = start({})
  const { program } = container
  const served = await context.check(`${runtime}: is ready, and answers on port 53`, async () => {
    // The port of /ready opens a moment before those of DNS.
    const answers = async (): Promise<boolean> =>
      (await isReady()) && (await query(53, { name: NAME })).flags.qr
    await program.ready(answers, READY_DEADLINE_MS)
    for (const tcp of [false, true]) {
      const { rcode, answer } = await query(53, { name: NAME, tcp })
      same([rcode, answer.length], ['NOERROR', 1], tcp ? 'TCP' : 'UDP')
    }
    holds((await fetch('http://127.0.0.1:8080/health')).ok, 'health')
  })
  if (!served) return
  await context.check(`${runtime}: as nobody, with one capability and the Deployment's memory`, async () => {
    const status = readFileSync(`/proc/${container.pid}/status`, 'utf8')
    for (const line of ['Uid:\t65532\t65532\t65532\t65532', 'CapEff:\t0000000000000400', 'NoNewPrivs:\t1'])
      holds(status.includes(`${line}\n`), `${line} in ${status}`)
    const metrics = await (await fetch('http://127.0.0.1:9153/metrics')).text()
    same(/^seamark_memory_limit_bytes (\S+)$/m.exec(metrics)?.[1], String(170 * 2 ** 20), 'the limit')
  })
  await context.check(`${runtime}: explain, tap, check and diff in the container, by kubectl exec`, () =>
    checkCommands(context, container, context.scope.folder(`${runtime}-kubectl`)),
  )
  await context.check(
    `${runtime}: SIGTERM drains: answers while it is not ready any more, then ends`,
    async () => {
      container.signal('TERM')
      await eventually('not ready', async () => !(await isReady()))
      same((await query(53, { name: NAME })).rcode, 'NOERROR', 'an answer meanwhile')
      await program.exited(END_DEADLINE_MS)
      same(program.outcome, 0, program.log())
      // Nobody is at that address; and other suites may have left namespaces of such names.
      const expected = /^.*(?:192\.0\.2\.53|captures names that end in).*$/gm
      holds(!/\[(?:ERROR|WARNING)\]/.test(program.log().replaceAll(expected, '')), program.log())
    },
  )
}

export const suite: Suite = {
  name: 'image',
  async run(context) {
    const folder = join(context.scope.folder('image'), 'made')
    const unavailable = makeImage(folder)
    if (unavailable !== '') return context.skip('npm run image', unavailable)
    await checkForms(context, folder)
    await checkEngines(context, folder)
    await checkArm64(context, join(folder, '..', 'arm64'))
    const installed = RUNTIMES.filter(hasProgram)
    if (installed.length === 0)
      return context.skip('the image in a container', 'neither crun nor runc is installed')
    if (!context.world.inNamespaces || process.getuid?.() !== 0)
      return context.skip('the image in a container', 'namespaces cannot be made here by root')
    const image = UnpackedImage.unpack(join(folder, 'layout'), join(folder, '..', 'rootfs'))
    const pods = context.scope.folder('pod')
    const token = context.scope.folder('account')
    const account = await ServiceAccount.create(context.world.plane, 'coredns-image', token)
    const mounts = mountsOf(pods, account)
    for (const runtime of installed) await checkRuntime(context, runtime, image, mounts)
  },
}
