/** Registers as manuals count them: 30001 is the first input register, 40001 and 400001 the first holding register. */
export const isManual = (reg: unknown): boolean => /^[34](?!0+$)\d{4,5}$/.test(String(reg));

/** How the registers of a list are counted: as in manuals where all are, and none says its table. */
export function numberingOf(points: readonly Record<string, unknown>[]): '40001' | '0-based' {
  return points.length && points.every((point) => !point.table && isManual(point.reg)) ? '40001' : '0-based';
}
