// HTTPS_PROXY, HTTP_PROXY and NO_PROXY as Go reads them. Every row was also asked of golang.org/x/net/http/httpproxy.

import t from 'tap'
import { type Env, proxyFromEnvironment } from '../../src/watch/proxy-env.ts'

const P = 'http://p:1/'
/** NO_PROXY, a server, and whether the proxy is used for it. */
const NO_PROXY: readonly (readonly [list: string, server: string, used: boolean])[] = [
  ['', 'https://example.com', true],
  ['', 'https://localhost:6443', false],
  ['', 'https://127.0.0.1:6443', false],
  ['', 'https://127.9.9.9', false],
  ['', 'https://[::1]:6443', false],
  ['', 'https://[::ffff:127.0.0.1]', false],
  ['', 'https://localhost.example.com', true],
  ['*', 'https://example.com', false],
  ['a.b,*', 'https://10.0.0.1', false],
  ['example.com', 'https://example.com', false],
  ['example.com', 'https://api.example.com:6443', false],
  ['example.com', 'https://badexample.com', true],
  ['EXAMPLE.com', 'https://API.Example.COM', false],
  ['.example.com', 'https://example.com', true],
  ['.example.com', 'https://api.example.com', false],
  ['*.example.com', 'https://example.com', true],
  ['*.example.com', 'https://api.example.com', false],
  ['example.com:6443', 'https://example.com:6443', false],
  ['example.com:6443', 'https://example.com', true],
  ['example.com:443', 'https://example.com', false],
  ['example.com:80', 'http://example.com', false],
  [' example.com , other.org ', 'https://other.org', false],
  [',,', 'https://example.com', true],
  ['10.96.0.1', 'https://10.96.0.1', false],
  ['10.96.0.1', 'https://10.96.0.10', true],
  ['10.96.0.1:443', 'https://10.96.0.1', false],
  ['10.96.0.1:6443', 'https://10.96.0.1', true],
  ['10.96.0.0/12', 'https://10.111.255.255:6443', false],
  ['10.96.0.0/12', 'https://10.112.0.0', true],
  ['10.96.0.0/33', 'https://10.96.0.1', true],
  ['fd00::/8', 'https://[fd00:10:96::1]', false],
  ['fd00::/8', 'https://[fe00::1]', true],
  ['fd00:10:96::1', 'https://[fd00:10:96:0::1]', false],
  ['[fd00:10:96::1]:443', 'https://[fd00:10:96::1]', false],
  ['[fd00:10:96::1]:6443', 'https://[fd00:10:96::1]', true],
  ['::ffff:10.96.0.1', 'https://10.96.0.1', false],
  ['0.0.0.0/0', 'https://example.com', true],
  ['0.0.0.0/0', 'https://[fd00::1]', true],
  [':443', 'https://example.com', true],
  ['bücher.example', 'https://xn--bcher-kva.example', false],
  ['bücher.example', 'https://bücher.example', false],
  ['svc', 'https://kubernetes.default.svc', false],
  ['kubernetes', 'https://kubernetes', false],
]

t.test('NO_PROXY', async t => {
  for (const [list, server, used] of NO_PROXY) {
    const proxy = proxyFromEnvironment(new URL(server), { HTTPS_PROXY: P, HTTP_PROXY: P, NO_PROXY: list })
    t.equal(proxy?.href, used ? P : undefined, `${server} with NO_PROXY=${list}`)
  }
})

t.test('which variable names it, and how', async t => {
  const cases: [env: Env, server: string, proxy: string | undefined][] = [
    [{}, 'https://h', undefined],
    [{ HTTPS_PROXY: 'http://p:1' }, 'https://h', 'http://p:1/'],
    [{ HTTPS_PROXY: 'http://p:1' }, 'http://h', undefined],
    [{ HTTP_PROXY: 'http://p:1' }, 'https://h', undefined],
    [{ HTTP_PROXY: 'http://p:1' }, 'http://h', 'http://p:1/'],
    [{ https_proxy: 'http://lower:1', HTTPS_PROXY: 'http://upper:1' }, 'https://h', 'http://lower:1/'],
    [{ https_proxy: '', HTTPS_PROXY: 'http://upper:1' }, 'https://h', 'http://upper:1/'],
    [{ HTTPS_PROXY: 'http://p:1', no_proxy: 'h', NO_PROXY: '' }, 'https://h', undefined],
    [{ HTTPS_PROXY: 'proxy.example:3128' }, 'https://h', 'http://proxy.example:3128/'],
    [{ HTTPS_PROXY: '10.0.0.1:3128' }, 'https://h', 'http://10.0.0.1:3128/'],
    [{ HTTPS_PROXY: 'proxy' }, 'https://h', 'http://proxy/'],
    [{ HTTPS_PROXY: 'https://u:s@p:1' }, 'https://h', 'https://u:s@p:1/'],
    [{ HTTPS_PROXY: 'socks5://p:1080' }, 'https://h', 'socks5://p:1080'],
    [{ HTTPS_PROXY: 'http://p:1', REQUEST_METHOD: 'GET' }, 'https://h', 'http://p:1/'],
  ]
  for (const [env, server, proxy] of cases)
    t.equal(proxyFromEnvironment(new URL(server), env)?.href, proxy, `${server} ${JSON.stringify(env)}`)
})

t.test('what is refused', async t => {
  t.throws(() => proxyFromEnvironment(new URL('http://h'), { HTTP_PROXY: P, REQUEST_METHOD: 'GET' }), {
    code: 'credentials',
    message: /HTTP_PROXY is not used in a CGI program/,
  })
  t.throws(() => proxyFromEnvironment(new URL('https://h'), { HTTPS_PROXY: 'ftp://p:1' }), {
    code: 'credentials',
    message: /HTTPS_PROXY has the scheme "ftp"; allowed are http, https, socks5, socks5h$/,
  })
})
