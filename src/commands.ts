// The commands of `seamark` and their options: one table, which the command line is read by (flags.ts), and which the help, the
// man page (help.ts) and the completions of shells (completions.ts) are written from. A new command is a row here, a type in
// `Command` (command.ts), and a case in main.ts.

import { type CommandRow, type Given, type Option, type ServerAddress, SHELLS } from './command.ts'
import { nodeCacheOptions } from './nodecache/options.ts'
import { LOG_FORMS, type LogForm } from './observe/json-line.ts'
import { familyOf } from './shared/ip.ts'

const CONF: Option = {
  name: 'conf',
  value: 'FILE',
  values: 'file',
  about: 'the Corefile, or stdin; ./Corefile unless given',
}
const PORT: Option = {
  name: 'dns.port',
  also: 'p',
  value: 'PORT',
  about: 'the port of server blocks that name none; 53 unless given',
}

const LOG_FORMAT: Option = {
  name: 'log-format',
  value: 'FORM',
  values: LOG_FORMS,
  about: 'lines of text, as CoreDNS writes them, or a JSON object a line; text unless given',
}
const EVENTS: Option = {
  name: 'events',
  about:
    'tell of a refused Corefile, a missing right and a forwarding loop by Events on the own Pod, named by POD_NAME, POD_NAMESPACE and POD_UID',
}
const OVERLAP: Option = {
  name: 'overlap',
  about:
    'start beside another server of this user on the same ports, as a rolling replacement does; both answer until one ends',
}
const PIDFILE: Option = {
  name: 'pidfile',
  value: 'FILE',
  values: 'file',
  about: 'where to write the process id',
}
const QUIET: Option = { name: 'quiet', about: 'print warnings and errors only' }

/** Every command has it. */
export const HELP: Option = { name: 'help', also: 'h', about: 'print this and end' }

const logFormOf = (text: Given['text']): LogForm =>
  LOG_FORMS.find(form => form === text('log-format')) ?? 'text'

export const COMMANDS: readonly CommandRow[] = [
  {
    name: '',
    operands: '',
    about: 'serve a Corefile',
    more: [
      'SIGTERM ends it after the lameduck time of the plugin health, SIGINT at once; SIGUSR1 reads the Corefile again.',
      'From systemd it takes sockets (LISTEN_FDS) for the addresses of the Corefile, and tells it when it serves (NOTIFY_SOCKET, WATCHDOG_USEC).',
      'Options have one dash or two, and their value behind a space or an equals sign.',
    ],
    examples: [
      ['seamark -conf /etc/coredns/Corefile', 'serves as CoreDNS does'],
      ['seamark -p 1053', 'serves ./Corefile, on port 1053 where it names no port'],
    ],
    options: [
      CONF,
      PORT,
      EVENTS,
      {
        name: 'last-good',
        value: 'FILE',
        values: 'file',
        about:
          'keep the configuration that is served in FILE, and serve it after a restart with a broken one',
      },
      LOG_FORMAT,
      OVERLAP,
      PIDFILE,
      QUIET,
      { name: 'plugins', about: 'list the directives that are served' },
      { name: 'version', about: 'print the version' },
    ],
    read({ words, text, has, port }) {
      if (has('version')) return { command: 'version' }
      if (has('plugins')) return { command: 'plugins' }
      if (words.length > 0) return `extra arguments: ${words.join(' ')}`
      return {
        command: 'serve',
        conf: text('conf'),
        port,
        pidfile: text('pidfile'),
        lastGood: text('last-good'),
        overlap: has('overlap'),
        events: has('events'),
        quiet: has('quiet'),
        logForm: logFormOf(text),
      }
    },
  },
  {
    name: 'check',
    operands: '[FILE|-]',
    completes: 'file',
    about: 'say everything that is wrong or surprising in a Corefile, serve nothing',
    more: [
      'FILE is a Corefile or a manifest with ConfigMaps, - is standard input; ./Corefile unless given. The exit status is 1 where there is an error.',
    ],
    examples: [
      ['seamark check Corefile', 'says what is wrong, with line and column'],
      [
        'kubectl -n kube-system get configmap coredns -o yaml | seamark check --offline -',
        "checks a cluster's",
      ],
    ],
    options: [
      { name: 'json', about: 'print JSON' },
      {
        name: 'offline',
        about: 'files and hosts that are not known here are no errors: the machine that serves may have them',
      },
      CONF,
      PORT,
    ],
    read({ words, text, has, port }) {
      if (words.length > 1) return `check takes one file, not ${words.join(' ')}`
      const [json, offline] = [has('json'), has('offline')]
      return { command: 'check', file: words[0] ?? text('conf'), json, offline, port }
    },
  },
  {
    name: 'node-cache',
    sign: 'localip',
    operands: '',
    about: 'serve as the DNS cache of a node, with the flags of node-cache',
    more: [
      'The Corefile is made of a template, with the addresses of -localip, the cluster IP of -upstreamsvc, and the stub domains and upstreams of the ConfigMap kube-dns; a change of any of them is served at once.',
      'The addresses get an interface of their own, and what goes to them is kept out of connection tracking (nf_tables, by netlink); both need the capability NET_ADMIN.',
    ],
    examples: [
      [
        'seamark node-cache -localip 169.254.20.10,10.96.0.10 -upstreamsvc kube-dns-upstream',
        'serves on both addresses, as the DaemonSet node-local-dns asks for',
      ],
      [
        'seamark node-cache -localip 127.0.0.1 -setupinterface=false -setupiptables=false',
        'needs no privilege: the addresses are there already',
      ],
    ],
    options: [
      { name: 'localip', value: 'ADDRESSES', about: 'where to listen: addresses of one family, with commas' },
      {
        ...CONF,
        about: 'where the Corefile that is made is written for people to read; /etc/Corefile unless given',
      },
      { name: 'corefile', value: 'FILE', values: 'file', about: 'the same as -conf' },
      {
        name: 'basecorefile',
        value: 'FILE',
        values: 'file',
        about: 'the template; /etc/coredns/Corefile.base unless given',
      },
      {
        name: 'kubednscm',
        value: 'FOLDER',
        values: 'folder',
        about: 'where the ConfigMap kube-dns is mounted; /etc/kube-dns unless given, where that is there',
      },
      {
        name: 'upstreamsvc',
        value: 'SERVICE',
        about: "the Service that the cluster's names are asked of; kube-dns unless given",
      },
      { name: 'setupinterface', about: 'whether the addresses get an interface (true)' },
      { name: 'interfacename', value: 'NAME', about: 'its name; nodelocaldns unless given' },
      { name: 'setupiptables', about: 'whether DNS is kept out of connection tracking (true)' },
      { name: 'setupebtables', about: 'not served' },
      { name: 'skipteardown', about: 'leave interface and rules there at the end' },
      { name: 'syncinterval', value: 'TIME', about: 'how often both are looked after; 60 s unless given' },
      { name: 'initialdelay', value: 'TIME', about: 'of node-cache; rules are made once it answers' },
      { name: 'reloadwithsignal', about: 'of node-cache; what changes is served at once' },
      {
        name: 'metrics-listen-address',
        value: 'ADDRESS',
        about: 'where the metrics are shown beside what the Corefile says; 0.0.0.0:9353 unless given',
      },
      { name: 'health-port', value: 'PORT', about: 'the port of the directive health; 8080 unless given' },
      PORT,
      EVENTS,
      LOG_FORMAT,
      OVERLAP,
      PIDFILE,
      QUIET,
    ],
    read({ words, text, has, port }) {
      if (words.length > 0) return `extra arguments: ${words.join(' ')}`
      const nodeCache = nodeCacheOptions(text, port)
      if (typeof nodeCache === 'string') return nodeCache
      return {
        command: 'serve',
        conf: '',
        port,
        pidfile: text('pidfile'),
        lastGood: '',
        overlap: has('overlap'),
        events: has('events'),
        quiet: has('quiet'),
        logForm: logFormOf(text),
        nodeCache,
      }
    },
  },
  {
    name: 'explain',
    operands: 'NAME [TYPE]',
    about: 'say why a name resolves, or does not',
    more: [
      "Asks what a Pod's resolver would ask, by its search path, and shows what becomes of each name: the server block, every plugin that had a say, the upstream, and for a name of the cluster the Service and the endpoints behind it. Ends with the cause and with what to do.",
      'It asks the server that runs here, as in its Pod (kubectl -n kube-system exec deploy/coredns -- seamark explain NAME); where there is none, or with -conf, it reads a Corefile and the cluster or the folder that is named there. The exit status is 0 where the name resolves, 1 where it does not, 2 where that could not be told.',
    ],
    examples: [
      [
        'seamark explain web.shop -conf Corefile',
        'without a server, as a Pod of the namespace default would ask',
      ],
      ['seamark explain _http._tcp.web.shop.svc SRV --from shop/curl', 'as that Pod asks'],
    ],
    options: [
      {
        name: 'from',
        value: 'CLIENT',
        about: 'who asks: NAMESPACE/POD or an address; a Pod of the namespace default unless given',
      },
      {
        name: 'server',
        value: 'ADDRESS',
        about: 'the server to ask: a path or HOST:PORT, as admin in its Corefile has it',
      },
      { name: 'json', about: 'print JSON' },
      { ...CONF, about: 'the Corefile to read in place of asking a server' },
      PORT,
    ],
    read({ words, text, has, port }) {
      const [name, type = '', ...more] = words
      if (name === undefined) return 'explain needs a name'
      if (more.length > 0) return `explain takes a name and a type, not ${more.join(' ')}`
      return {
        command: 'explain',
        name,
        type,
        from: text('from'),
        server: text('server'),
        conf: text('conf'),
        port,
        json: has('json'),
      }
    },
  },
  {
    name: 'tap',
    operands: '',
    about: 'print queries as they are answered',
    more: [
      'It follows the server that runs here, as in its Pod, until it is interrupted; what is not asked for costs the server next to nothing. Where there are more lines than can be sent, some are left out, and it says how many.',
    ],
    examples: [
      ['seamark tap --name example.org --rcode SERVFAIL', 'what fails below a name'],
      ['seamark tap --pod shop/curl --json', 'what a Pod asks, where `pods verified` is in the Corefile'],
      ['seamark tap --min-ms 100', 'what takes long'],
    ],
    options: [
      { name: 'client', value: 'CLIENT', about: 'only queries of this address or network' },
      { name: 'pod', value: 'POD', about: 'only queries of this Pod, NAMESPACE/NAME' },
      { name: 'namespace', value: 'NAMESPACE', about: 'only queries of the Pods of this namespace' },
      { name: 'name', value: 'NAME', about: 'only this name and those below it' },
      { name: 'type', value: 'TYPE', about: 'only queries of this type' },
      { name: 'rcode', value: 'CODE', about: 'only replies of this code' },
      { name: 'plugin', value: 'PLUGIN', about: 'only replies that this plugin wrote' },
      { name: 'min-ms', value: 'MS', about: 'only queries that took at least so long, in milliseconds' },
      { name: 'every', value: 'N', about: 'one of so many of them' },
      { name: 'count', value: 'N', about: 'end after so many lines' },
      { name: 'server', value: 'ADDRESS', about: 'the server to follow: a path or HOST:PORT' },
      { name: 'json', about: 'print JSON' },
    ],
    read({ words, text, has }) {
      if (words.length > 0) return `tap takes no ${words.join(' ')}`
      const count = text('count') === '' ? 0 : Number(text('count'))
      if (!Number.isSafeInteger(count) || count < 0) return `${text('count')} is no number of lines`
      const named = ['client', 'pod', 'namespace', 'name', 'type', 'rcode', 'plugin', 'every'] as const
      const filter = Object.fromEntries(named.map(name => [name, text(name)]))
      return {
        command: 'tap',
        filter: { ...filter, minMs: text('min-ms') },
        server: text('server'),
        count,
        json: has('json'),
      }
    },
  },
  {
    name: 'diff',
    operands: 'FILE|FOLDER|-',
    completes: 'file',
    about: 'ask this server and another one the same questions, and say where their answers differ',
    more: [
      'FILE is a log of queries (of the plugin log, as text or JSON), what tap printed, a list of lines NAME TYPE, or what dnstap wrote. FOLDER has manifests, or what kubectl get -o yaml saved of a cluster: all its names are asked for, and some that are not there. - is standard input.',
      'TTLs, the order of records and serials are not compared. What differs is asked three times: names whose answers change by themselves are counted apart. The exit status is 0 where all answers are the same, 1 where some differ, 2 where nothing could be compared.',
    ],
    examples: [
      [
        'seamark diff --with 10.96.0.10 --server 10.244.1.7 queries.log',
        'a Pod of Seamark and the DNS of the cluster',
      ],
      [
        'kubectl -n kube-system logs deployment/coredns | seamark diff --with 10.96.0.10 -',
        'what clients ask',
      ],
    ],
    options: [
      {
        name: 'with',
        value: 'ADDRESS',
        about: 'the other server: an address, with :PORT where that is not 53',
      },
      { name: 'server', value: 'ADDRESS', about: 'this server; 127.0.0.1 unless given' },
      {
        name: 'zone',
        value: 'ZONE',
        about: "the cluster's domain, for a folder; cluster.local unless given",
      },
      {
        name: 'most',
        value: 'COUNT',
        about: 'ask so many questions, the most frequent ones; 10000 unless given',
      },
      { name: 'timeout', value: 'SECONDS', about: 'how long to wait for a reply; 5 unless given' },
      { name: 'json', about: 'print JSON' },
    ],
    read({ words, text, has }) {
      const [of, ...rest] = words
      if (of === undefined || rest.length > 0)
        return `diff takes a file, a folder or -${rest.length > 0 ? `, not ${words.join(' ')}` : ''}`
      if (!has('with')) return 'diff needs --with ADDRESS'
      const [here, there] = [addressOf(text('server') || '127.0.0.1'), addressOf(text('with'))]
      if (there === undefined) return `--with ${text('with')}: an address is allowed, with :PORT`
      if (here === undefined) return `--server ${text('server')}: an address is allowed, with :PORT`
      const [most, timeout] = [Number(text('most') || 10_000), Number(text('timeout') || 5)]
      if (!Number.isInteger(most) || most < 1) return `--most ${text('most')} is no number from 1 on`
      if (!(timeout > 0 && timeout <= 60)) return `--timeout ${text('timeout')} is no number up to 60`
      const zone = (text('zone') || 'cluster.local').replace(/\.$/, '').toLowerCase()
      return { command: 'diff', here, there, of, zone, most, timeoutMs: timeout * 1000, json: has('json') }
    },
  },
  {
    name: 'completion',
    operands: SHELLS.join('|'),
    completes: SHELLS,
    about: 'print completions of commands and options for a shell',
    examples: [
      ['source <(seamark completion bash)', 'in ~/.bashrc'],
      ['source <(seamark completion zsh)', 'in ~/.zshrc, behind compinit'],
      ['seamark completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
    options: [],
    read({ words }) {
      const shell = SHELLS.find(each => each === words[0])
      if (shell === undefined || words.length > 1)
        return `completion takes one of ${SHELLS.join(', ')}${words.length > 0 ? `, not ${words.join(' ')}` : ''}`
      return { command: 'completion', shell }
    },
  },
]

/** `10.96.0.10`, `10.96.0.10:1053`, `fd00::a`, `[fd00::a]:1053`. */
function addressOf(text: string): ServerAddress | undefined {
  const [, six, four, port = '53'] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  const host = six ?? four ?? text
  if (familyOf(host) === 0 || Number(port) < 1 || Number(port) > 65535) return undefined
  return { host, port: Number(port) }
}
