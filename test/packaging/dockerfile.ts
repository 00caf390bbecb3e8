// A Dockerfile as text → its stages, as far as ours goes.

/** One instruction: `ENV`, `A=1 B=2`. */
export interface Instruction {
  readonly word: string
  readonly rest: string
}

/** One `FROM`, and what follows it. */
export interface Stage {
  readonly base: string
  /** `AS name`, or ''. */
  readonly name: string
  readonly instructions: Instruction[]
}

/** Reads the stages. */
export function readStages(text: string): Stage[] {
  const stages: Stage[] = []
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
  for (const line of lines.filter(line => line.trim() !== '')) {
    const [word = '', ...words] = line.trim().split(/\s+/)
    if (word === 'FROM') {
      const [base = '', , name = ''] = words.filter(each => !each.startsWith('--'))
      stages.push({ base, name, instructions: [] })
    } else stages.at(-1)!.instructions.push({ word, rest: words.join(' ') })
  }
  return stages
}

/** The stage that becomes the image. */
export function lastStage(stages: readonly Stage[]): Stage {
  const last = stages.at(-1)
  if (!last) throw new TypeError('a Dockerfile without FROM')
  return last
}
