// Reads the text of a weight file and says what is wrong with it.

import { readRegular, SETTINGS_MAX_OCTETS } from '../../shared/regular-file.ts'
import { parseWeights, WEIGHT_FILE_MAX_OCTETS } from './weights.ts'

/** The text of a usable file, or what is wrong; `unreadable` where that may pass by itself. */
export type ReadText = { readonly text: string } | { readonly problem: string; readonly unreadable: boolean }

/** Reads the file now. */
export function readWeightText(file: string): ReadText {
  try {
    return checkWeightText(readRegular(file, SETTINGS_MAX_OCTETS))
  } catch (error) {
    return { problem: `reading the weight file: ${(error as Error).message}`, unreadable: true }
  }
}

/** Judges what was read. */
export function checkWeightText(text: string): ReadText {
  if (text.length > WEIGHT_FILE_MAX_OCTETS) {
    return { problem: `the weight file has more than ${WEIGHT_FILE_MAX_OCTETS} octets`, unreadable: false }
  }
  const weights = parseWeights(text)
  return typeof weights === 'string'
    ? { problem: `the weight file: ${weights}`, unreadable: false }
    : { text }
}
