// Tests that show more the longer they run have two forms: a short one for `npm test`, and a long one for `npm run test:long`,
// which runs the files that import this one. Both assert the same.

/** Whether this is `npm run test:long`. */
export const LONG = process.env.SEAMARK_TEST_LONG === '1'

/** The figure of this form. */
export const shortOrLong = (short: number, long: number): number => (LONG ? long : short)
