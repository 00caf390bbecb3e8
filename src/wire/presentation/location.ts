// The data of LOC records (RFC 1876 section 3): degrees, minutes and seconds of latitude and longitude, the altitude, and three
// sizes in metres that may be left out.
//
//   52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m

import type { Cursor, Reader } from './cursor.ts'
import { unsigned } from './field.ts'

/** The equator and the prime meridian in thousandths of a second of arc. */
const MIDDLE = 2 ** 31
const DEGREE = 3_600_000
/** Centimetres below the reference spheroid where altitudes begin. */
const ALTITUDE_BASE = 10_000_000
/** The size and the precisions where they are left out: 1 m, 10 km, 10 m. */
const SIZES = ['1m', '10000m', '10m']
const SIZE_MAX_CENTIMETRES = 9_000_000_000

/** Everything left as a location. */
export const location: Reader = cursor => {
  const latitude = readAngle(cursor, 'a latitude', 90, 'N', 'S')
  const longitude = latitude === undefined ? undefined : readAngle(cursor, 'a longitude', 180, 'E', 'W')
  const altitude = longitude === undefined ? undefined : readAltitude(cursor)
  if (latitude === undefined || longitude === undefined || altitude === undefined) return undefined
  const sizes = SIZES.map(given => (cursor.has ? cursor.take('a size')! : given)).map(readSize)
  if (sizes.includes(undefined)) return cursor.fail('this is not a size such as 10m, of at most 90000000m')
  const [size = 0, horizontal = 0, vertical = 0] = sizes
  return Buffer.concat([
    Uint8Array.of(0, size, horizontal, vertical),
    unsigned(latitude, 4),
    unsigned(longitude, 4),
    unsigned(altitude, 4),
  ])
}

/** Degrees, perhaps minutes and perhaps seconds, and the side; in thousandths of a second of arc. */
function readAngle(
  cursor: Cursor,
  what: string,
  degreesMax: number,
  positive: string,
  negative: string,
): number | undefined {
  const shapes: readonly [shape: RegExp, below: number, unit: number][] = [
    [/^\d{1,3}$/, degreesMax + 1, DEGREE],
    [/^\d{1,2}$/, 60, DEGREE / 60],
    [/^(?:\d{1,2}\.?\d*|\.\d+)$/, 60, 1000],
  ]
  let angle = 0
  let parts = 0
  for (let text = cursor.take(what); text !== undefined; text = cursor.take(`the end of ${what}`)) {
    const side = text.toUpperCase()
    if (parts > 0 && (side === positive || side === negative)) {
      if (angle > degreesMax * DEGREE) return cursor.fail(`this is not ${what}`)
      return side === positive ? MIDDLE + angle : MIDDLE - angle
    }
    const [shape, below, unit] = shapes[parts++] ?? []
    if (!shape?.test(text) || Number(text) >= below!) return cursor.fail(`this is not ${what}`)
    angle += Math.floor(Number(text) * unit!)
  }
  return undefined
}

/** In centimetres above the base. */
function readAltitude(cursor: Cursor): number | undefined {
  const text = cursor.take('an altitude')
  if (text === undefined) return undefined
  const metres = /^([-+]?(?:\d+\.?\d*|\.\d+))m?$/i.exec(text)?.[1]
  const altitude = Math.floor(Number(metres ?? Number.NaN) * 100 + ALTITUDE_BASE + 0.5)
  if (altitude >= 0 && altitude < 2 ** 32) return altitude
  return cursor.fail('this is not an altitude in metres from -100000.00 to 42849672.95')
}

/** One digit and the power of ten behind it, of centimetres. */
function readSize(text: string): number | undefined {
  const [, metres = '', hundredths = ''] = /^(?=\.?\d)(\d*)(?:\.(\d{1,2}))?m?$/i.exec(text) ?? []
  const centimetres = Number(metres) * 100 + Number(hundredths.padEnd(2, '0'))
  if (metres === '' && hundredths === '') return undefined
  if (centimetres > SIZE_MAX_CENTIMETRES) return undefined
  const digits = String(centimetres)
  return (Number(digits[0]) << 4) | (digits.length - 1)
}
