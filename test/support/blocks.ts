// Blocks of the table that are made at once.

import { finish } from '../../src/shared/steps.ts'
import { orphanSteps, serviceSteps } from '../../src/table/build.ts'

export const buildOrphan = (...args: Parameters<typeof orphanSteps>): Uint8Array =>
  finish(orphanSteps(...args))

export const buildService = (...args: Parameters<typeof serviceSteps>): Uint8Array =>
  finish(serviceSteps(...args))
