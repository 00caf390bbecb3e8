// Zones signed by BIND's tools, and questions judged by BIND's validator: what a resolver that trusts nobody makes of answers.

import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { absent, programPath } from './system-program.ts'

const run = promisify(execFile)

/** False where all programs are installed, otherwise the reason to skip. */
export const cannotSign: false | string =
  absent('dnssec-keygen') || absent('dnssec-signzone') || absent('delv')

/** How a zone proves what it has not: NSEC records, or NSEC3 with a salt and iterations, and insecure names left out or not. */
export type Denial = readonly string[]
export const DENIALS: Readonly<Record<string, Denial>> = {
  NSEC: [],
  NSEC3: ['-3', '-', '-H', '0'],
  'NSEC3 with salt and iterations': ['-3', 'ab12', '-H', '3'],
  'NSEC3 with opt-out': ['-3', '-', '-H', '0', '-A'],
}

/** Signs the zone of a text in the folder, and gives the signed one's text, and what a validator is to trust. */
export async function signZone(
  folder: string,
  origin: string,
  text: string,
  denial: Denial,
): Promise<{ readonly signed: string; readonly anchor: string }> {
  const keygen = programPath('dnssec-keygen')!
  const algorithm = ['-q', '-a', 'ECDSAP256SHA256', '-K', folder]
  await run(keygen, [...algorithm, '-f', 'KSK', origin])
  await run(keygen, [...algorithm, origin])
  writeFileSync(join(folder, 'db'), text)
  const files = ['-o', origin, '-K', folder, '-d', folder, '-f', join(folder, 'signed'), join(folder, 'db')]
  await run(programPath('dnssec-signzone')!, ['-S', '-q', ...denial, ...files], { cwd: folder })
  const dsset = readdirSync(folder).find(file => file.startsWith('dsset-'))!
  const [, tag, algorithmNumber, digestType, digest] = /DS (\d+) (\d+) (\d+) ([\dA-F ]+)/.exec(
    readFileSync(join(folder, dsset), 'utf8'),
  )!
  const ds = `${tag} ${algorithmNumber} ${digestType} "${digest!.replaceAll(' ', '')}"`
  return {
    signed: readFileSync(join(folder, 'signed'), 'utf8'),
    anchor: `trust-anchors { ${origin}. static-ds ${ds}; };\n`,
  }
}

/** What delv says of a question: `fully validated`, `negative response, fully validated`, `unsigned answer`, or what is wrong. */
export async function delv(
  port: number,
  anchorFile: string,
  origin: string,
  question: string,
): Promise<string> {
  const args = ['@127.0.0.1', '-p', String(port), '-a', anchorFile, `+root=${origin}`, ...question.split(' ')]
  const { stdout, stderr } = await run(programPath('delv')!, args).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  const text = `${stderr}${stdout}`
  const judgements = new Set(text.match(/(?<=^; )(?:[\w ,]*validated|unsigned answer)$/gm))
  const isSound = judgements.size > 0 && !/no valid|broken trust|insecurity proof failed|bogus/.test(text)
  return isSound ? [...judgements].sort().join(', ') : text.trim()
}
