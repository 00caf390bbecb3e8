import { runSuite } from './run.ts'

runSuite('seed', 57)
