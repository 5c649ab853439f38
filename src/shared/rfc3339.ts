const DAY_MS = 86_400_000;
/** 9999-12-31T23:59:59.999Z: what four digits of a year can say. */
const LATEST_MS = 253_402_300_799_999;

/**
 * Unix milliseconds as an RFC 3339 timestamp in UTC, `2006-01-02T15:04:05.000Z`. Times before 1970
 * and after 9999 become the nearest one that fits.
 */
export function rfc3339(unixMs: number): string {
  const ms = Math.min(Math.max(0, Math.floor(unixMs)), LATEST_MS);
  const { year, month, day } = civilDate(Math.floor(ms / DAY_MS));
  const ofDay = ms % DAY_MS;
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  const hours = digits(Math.floor(ofDay / 3_600_000), 2);
  const minutes = digits(Math.floor(ofDay / 60_000) % 60, 2);
  const seconds = digits(Math.floor(ofDay / 1000) % 60, 2);
  return `${date}T${hours}:${minutes}:${seconds}.${digits(ofDay % 1000, 3)}Z`;
}

/** Gregorian date of a day number since 1970, in years that begin in March, eras of 400 years. */
function civilDate(unixDay: number): { year: number; month: number; day: number } {
  const sinceEra = unixDay + 719_468;
  const era = Math.floor(sinceEra / 146_097);
  const dayOfEra = sinceEra - era * 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

const digits = (value: number, width: number): string => String(value).padStart(width, '0');
