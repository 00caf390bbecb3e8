// When what happens in a soak, from how long it takes: ten minutes from fault to fault, less where not every fault would come.

const FAULTS_EVERY_SECONDS = 600
const LOAD_SECONDS_MAX = 60
const LOADS_MIN = 8
const SAMPLES_MIN = 40
const SAMPLE_SECONDS_MAX = 5
const AWAY_SHARE = 0.25
const HOUR_SECONDS = 3600

/** In seconds. */
export interface Schedule {
  readonly total: number
  /** Of one load and one run of the fuzzer, which follow one another. */
  readonly load: number
  readonly betweenFaults: number
  /** How long a killed API server is away. */
  readonly away: number
  readonly betweenSamples: number
}

/** The schedule for so many hours and sorts of faults. */
export function scheduleOf(hours: number, faults: number): Schedule {
  const total = hours * HOUR_SECONDS
  const betweenFaults = Math.min(FAULTS_EVERY_SECONDS, total / (faults + 1))
  return {
    total,
    load: Math.max(1, Math.min(LOAD_SECONDS_MAX, Math.floor(total / LOADS_MIN))),
    betweenFaults,
    away: betweenFaults * AWAY_SHARE,
    betweenSamples: Math.min(SAMPLE_SECONDS_MAX, total / SAMPLES_MIN),
  }
}
