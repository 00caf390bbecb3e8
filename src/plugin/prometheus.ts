// `prometheus [ADDRESS] { runtime_metrics; tls FILE }`: where /metrics answers (CoreDNS plugin/metrics). A server block
// without it does not count its queries. FILE is a web configuration of Prometheus's exporter toolkit, of which the
// certificates are read:
//
//   tls_server_config:
//     cert_file: server.crt
//     key_file: server.key
//     client_ca_file: clients.crt
//     client_auth_type: RequireAndVerifyClientCert

import { dirname, resolve } from 'node:path'
import { type Line, once, readLine } from '../corefile/arguments.ts'
import type { ListenAddress } from '../corefile/values.ts'
import type { HttpTls } from '../observe/http.ts'
import { lazy } from '../shared/lazy.ts'
import { readRegular, SETTINGS_MAX_OCTETS } from '../shared/regular-file.ts'
import type { Word } from './plugin.ts'

/** The configuration of `prometheus`. */
export interface PrometheusConfig {
  readonly address: ListenAddress
  /** CoreDNS's switch for the metrics of its runtime: here the heap's use by space. */
  readonly runtimeMetrics: boolean
  /** Certificates as they were when the Corefile was read. */
  readonly tls: HttpTls | undefined
}

/** CoreDNS's default: only this host. */
const PROMETHEUS_ADDRESS: ListenAddress = { host: 'localhost', port: 9153 }

/** `prometheus`, once in a server block; several blocks may name one address. */
export const prometheusWord: Word<PrometheusConfig> = {
  word: 'prometheus',
  doc: {
    usage: 'prometheus [HOST:PORT]',
    meaning: "counts the block's queries and shows all metrics at /metrics",
    default: 'localhost:9153',
    options: [
      { usage: 'runtime_metrics', meaning: 'shows the use of the JavaScript heap by space, too' },
      {
        usage: 'tls FILE',
        meaning: "serves HTTPS with the certificates of a web configuration file of Prometheus's exporters",
      },
    ],
    example: `
      . {
          prometheus :9153
          forward . /etc/resolv.conf
      }`,
  },
  parse(directives, problems, { directory }) {
    let address = PROMETHEUS_ADDRESS
    let runtimeMetrics = false
    let tls: HttpTls | undefined
    const directive = once(directives, problems)
    if (directive === undefined) return undefined
    readLine(directive, problems, line => {
      if (line.has) address = line.listenAddress('an address') ?? address
      line.options({
        runtime_metrics: () => {
          runtimeMetrics = true
        },
        tls: option => {
          option.once()
          tls = readTls(option, directory)
        },
      })
    })
    return { address, runtimeMetrics, tls }
  },
  effect: () => ({ counted: true }),
}

function readTls(line: Line, directory: string): HttpTls | undefined {
  const token = line.token('a web configuration file')
  if (token === undefined) return undefined
  try {
    return readWebConfig(resolve(directory, token.text))
  } catch (error) {
    return line.unreadable(token, 'reading the web configuration', error)
  }
}

/** Reads a web configuration and the files it names, which are relative to it. Throws where one cannot be read. */
function readWebConfig(file: string): HttpTls {
  const document: unknown = lazy.yaml.parse(readRegular(file, SETTINGS_MAX_OCTETS), { maxAliasCount: 0 })
  const section = objectAt(document, 'tls_server_config')
  const read = (key: string): string =>
    readRegular(resolve(dirname(file), textAt(section, key)), SETTINGS_MAX_OCTETS)
  if (!('client_ca_file' in section)) return { cert: read('cert_file'), key: read('key_file') }
  return { cert: read('cert_file'), key: read('key_file'), clientCa: read('client_ca_file') }
}

function objectAt(value: unknown, key: string): object {
  const inner: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  if (typeof inner !== 'object' || inner === null) throw new TypeError(`${key} is missing`)
  return inner
}

function textAt(value: object, key: string): string {
  const text: unknown = Reflect.get(value, key)
  if (typeof text !== 'string' || text === '') throw new TypeError(`tls_server_config.${key} is missing`)
  return text
}
