// Where the programs of a real control plane lie and how each is built from Go modules: etcd, kube-apiserver,
// kube-controller-manager and the CoreDNS that Seamark is compared with; and, for the suites that need them and are
// skipped without, the tools of operators. Shape: one folder holds the binaries under their plain names (the envtest
// convention, KUBEBUILDER_ASSETS), beside each a NAME.version file that we wrote.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The Kubernetes release that the control plane is built from. */
export const KUBERNETES_VERSION = '1.36.3'

/** The programs, by file name. */
export type ProgramName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'coredns'

/** The tools that some suites need, by file name. */
export type ToolName = 'dnstap' | 'helm' | 'kubectl' | 'prometheus' | 'promtool' | 'spans'

/** How one program is built: a throw-away module that requires `module` and imports `pkg`, or is a program of our own. */
export interface Program {
  readonly name: ProgramName | ToolName
  readonly module: string
  readonly version: string
  /** The main package. */
  readonly pkg: string
  readonly ldflags: string
  /** True where the module's own go.mod replaces its parts by folders (`./staging/src/…`): they come from v0.X instead. */
  readonly staging: boolean
  /** Build tags, separated by commas. */
  readonly tags?: string
  /** Of a program of our own: the file that it is, and the versions of the other modules that it needs. */
  readonly source?: string
  readonly also?: Readonly<Record<string, string>>
}

const [major, minor] = KUBERNETES_VERSION.split('.')
const VERSION_PACKAGE = 'k8s.io/component-base/version'
const KUBERNETES_LDFLAGS = [
  '-s -w',
  `-X ${VERSION_PACKAGE}.gitVersion=v${KUBERNETES_VERSION}`,
  `-X ${VERSION_PACKAGE}.gitMajor=${major}`,
  `-X ${VERSION_PACKAGE}.gitMinor=${minor}`,
].join(' ')

const kubernetes = (name: 'kube-apiserver' | 'kube-controller-manager' | 'kubectl'): Program => ({
  name,
  module: 'k8s.io/kubernetes',
  version: KUBERNETES_VERSION,
  pkg: `k8s.io/kubernetes/cmd/${name}`,
  ldflags: KUBERNETES_LDFLAGS,
  staging: true,
})

/** All programs in the order in which they are built. */
export const PROGRAMS: readonly Program[] = [
  {
    name: 'etcd',
    module: 'go.etcd.io/etcd/server/v3',
    version: '3.6.5',
    pkg: 'go.etcd.io/etcd/server/v3',
    ldflags: '-s -w',
    staging: false,
  },
  kubernetes('kube-apiserver'),
  kubernetes('kube-controller-manager'),
  {
    name: 'coredns',
    module: 'github.com/coredns/coredns',
    version: '1.14.7',
    pkg: 'github.com/coredns/coredns',
    ldflags: '-s -w',
    staging: false,
  },
]

/** Without its ways of finding targets in clouds, which are most of it. */
const prometheus = (name: 'prometheus' | 'promtool'): Program => ({
  name,
  module: 'github.com/prometheus/prometheus',
  version: '0.316.0',
  pkg: `github.com/prometheus/prometheus/cmd/${name}`,
  ldflags: '-s -w',
  staging: false,
  tags: 'remove_all_sd',
})

/** The tools in the order in which they are built. */
export const TOOLS: readonly Program[] = [
  {
    name: 'dnstap',
    module: 'github.com/dnstap/golang-dnstap',
    version: '0.4.0',
    pkg: 'github.com/dnstap/golang-dnstap/dnstap',
    ldflags: '-s -w',
    staging: false,
  },
  {
    name: 'helm',
    module: 'helm.sh/helm/v4',
    version: '4.3.2',
    pkg: 'helm.sh/helm/v4/cmd/helm',
    ldflags: '-s -w',
    staging: false,
  },
  kubernetes('kubectl'),
  prometheus('prometheus'),
  prometheus('promtool'),
  {
    name: 'spans',
    module: 'go.opentelemetry.io/collector/pdata',
    version: '1.69.0',
    pkg: '.',
    ldflags: '-s -w',
    staging: false,
    source: join(import.meta.dirname, 'clients', 'spans.go'),
    also: {
      'github.com/openzipkin/zipkin-go': '0.4.3',
      'github.com/DataDog/datadog-agent/pkg/proto': '0.77.0',
    },
  },
]

/** The folder of the binaries: KUBEBUILDER_ASSETS, else one under the user's cache directory. */
export function programFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KUBEBUILDER_ASSETS) return env.KUBEBUILDER_ASSETS
  const cache = env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'seamark', `control-plane-${KUBERNETES_VERSION}`)
}

/** The path of one program, whether or not it is built. */
export const programPath = (name: ProgramName | ToolName): string => join(programFolder(), name)

/** What a binary is of, as its .version file says it. */
export function stampOf({ version, source }: Program): string {
  if (source === undefined) return version
  return `${version} ${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16)}`
}

/**
 * Those of `programs` that are not there, or that we built from another version than is wanted. A binary without a
 * .version file was put there by somebody else and is taken as it is.
 */
export function missingPrograms(
  folder = programFolder(),
  programs: readonly Program[] = PROGRAMS,
): Program[] {
  return programs.filter(program => {
    const path = join(folder, program.name)
    if (!existsSync(path)) return true
    const stamp = `${path}.version`
    return existsSync(stamp) && readFileSync(stamp, 'utf8').trim() !== stampOf(program)
  })
}

/** Whether a tool is there. */
export const isBuilt = (name: ToolName): boolean =>
  !missingPrograms(programFolder(), TOOLS).some(tool => tool.name === name)
