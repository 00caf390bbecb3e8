// The resident memory of a process, from /proc (Linux).

import { readFileSync } from 'node:fs'

/** VmRSS in MiB; throws where the process or /proc is not there. */
export function residentMiB(pid: number): number {
  const [, kiB] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  if (kiB === undefined) throw new Error(`process ${pid} has no VmRSS`)
  return Number(kiB) / 1024
}
