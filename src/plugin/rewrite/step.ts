// What a rule that was applied to the question leaves to be done to its reply (reply.ts).

import type { AnswerRule, CnameRule, RcodeRule, TtlRule } from './config.ts'
import { compileSubstitution, type Renamer } from './match.ts'

interface RenameStep {
  readonly kind: 'rename'
  readonly part: AnswerRule['part']
  readonly rename: Renamer
}

/** One step; the bounds, codes and targets are those of its rule. */
export type ReplyStep =
  | RenameStep
  | ({ readonly kind: 'ttl' } & Pick<TtlRule, 'minSeconds' | 'maxSeconds'>)
  | ({ readonly kind: 'rcode' } & Pick<RcodeRule, 'from' | 'to'>)
  | { readonly kind: 'cname'; readonly rename: Renamer }

/** The step that renames owners or values. */
export const renameStep = (part: AnswerRule['part'], rename: Renamer): RenameStep => ({
  kind: 'rename',
  part,
  rename,
})

/** The step of an answer rule. */
export const answerStep = ({ part, ...substitution }: AnswerRule): RenameStep =>
  renameStep(part, compileSubstitution(substitution))

/** The step of a `cname` rule. */
export const cnameStep = ({ substitution }: CnameRule): ReplyStep => ({
  kind: 'cname',
  rename: compileSubstitution(substitution),
})
