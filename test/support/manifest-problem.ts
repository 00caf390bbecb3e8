// What is wrong in a folder of manifests, as tests read it.

import type { ManifestProblem } from '../../src/manifest/problem.ts'

/** FILE:LINE:COLUMN: severity: message, as compilers write it. */
export const formatProblem = (p: ManifestProblem): string =>
  `${p.file}:${p.line}:${p.column}: ${p.severity}: ${p.message}`
