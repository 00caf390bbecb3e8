import t from 'tap'
import { parseAddressPort, parseDuration, parseListenAddress } from '../../src/corefile/values.ts'

t.test('durations in milliseconds', async t => {
  const cases: [text: string, ms: number | undefined][] = [
    ['0', 0],
    ['0s', 0],
    ['-0s', 0],
    ['5s', 5000],
    ['1m30s', 90_000],
    ['0.5s', 500],
    ['.5s', 500],
    ['1.s', 1000],
    ['100ms', 100],
    ['250us', 0.25],
    ['250\u00b5s', 0.25],
    ['250\u03bcs', 0.25],
    ['1ns', 1e-6],
    ['1h', 3_600_000],
    ['1h1m1s1ms', 3_661_001],
    ['+5s', 5000],
    ['-5s', -5000],
    ['5', undefined],
    ['', undefined],
    ['s', undefined],
    ['.s', undefined],
    ['5 s', undefined],
    ['5S', undefined],
    ['5d', undefined],
    ['1m30', undefined],
    ['1..5s', undefined],
    ['--5s', undefined],
    ['1e3s', undefined],
  ]
  for (const [text, ms] of cases) t.equal(parseDuration(text), ms, JSON.stringify(text))
})

t.test('addresses with and without a port', async t => {
  const cases: [text: string, expected: string | undefined][] = [
    ['10.0.0.1', '10.0.0.1 -'],
    ['10.0.0.1:53', '10.0.0.1 53'],
    ['::1', '::1 -'],
    ['[::1]', '::1 -'],
    ['[::1]:5353', '::1 5353'],
    ['fe80::1%eth0', 'fe80::1%eth0 -'],
    ['[fe80::1%eth0]:53', 'fe80::1%eth0 53'],
    ['10.0.0.1:', undefined],
    ['10.0.0.1:0', undefined],
    ['10.0.0.1:65536', undefined],
    ['10.0.0.1:a', undefined],
    ['[10.0.0.1]:53', undefined],
    ['[::1]53', undefined],
    ['[::1', undefined],
    ['localhost', undefined],
    ['localhost:53', undefined],
    [':53', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of cases) {
    const value = parseAddressPort(text)
    t.equal(value && `${value.address} ${value.port ?? '-'}`, expected, text)
  }
})

t.test('listening addresses', async t => {
  const cases: [text: string, expected: string | undefined][] = [
    [':9153', ' 9153'],
    ['localhost:8080', 'localhost 8080'],
    ['0.0.0.0:9153', '0.0.0.0 9153'],
    ['[::]:9153', ':: 9153'],
    ['169.254.20.10:8080', '169.254.20.10 8080'],
    ['9153', undefined],
    [':0', undefined],
    [':http', undefined],
    ['::1:80', undefined],
    ['[localhost]:80', undefined],
    ['http://localhost:80', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of cases) {
    const value = parseListenAddress(text)
    t.equal(value && `${value.host} ${value.port}`, expected, text)
  }
})
